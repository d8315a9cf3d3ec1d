# make image: an OCI image of all services, with podman and without a registry. Its files, and those for
# compose and Kubernetes: units/container.

.PHONY: image image-context check-container
image-context: packages-container all
	rm -rf build/container/context
	$(MAKE) --no-print-directory -s -o all install DESTDIR=build/container/context/installed \
		PREFIX=/usr SYSCONFDIR=/etc

image: image-context ## build the container image quintet:VERSION with podman
	units/container/build $(VERSION)

check-container: image-context ## the image, from an empty volume to the second start; needs root
	$(PYTEST) tests/container
