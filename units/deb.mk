# make deb: packages for Debian, by debhelper and `make install`. Packaging files: units/debian.

.PHONY: deb
deb: packages-deb all ## build Debian packages, quintet-server and quintet-client, below build/deb
	units/debian/build $(VERSION) $(MAIN_VARIANT)
