# What the machine must have, by purpose. Each packages-PURPOSE target installs what is missing of
# its list (Debian, Ubuntu) and does nothing, quickly, when all is there.

PACKAGES_build := gcc make libc6-dev libssl-dev liblmdb-dev libsystemd-dev libseccomp-dev libcrypt-dev \
	libncurses-dev
PACKAGES_run := systemd openssl curl
PACKAGES_lint := clang clang-tidy clang-format cppcheck
PACKAGES_unit := libcmocka-dev
PACKAGES_fuzz := clang llvm libclang-rt-14-dev
PACKAGES_interop := python3-pytest python3-pytest-xdist python3-cryptography openssl curl gnutls-bin strongswan-pki \
	libstrongswan-standard-plugins libstrongswan-extra-plugins xinetd ucspi-tcp lmdb-utils \
	systemd util-linux strace iproute2 lftp ftp-ssl irssi weechat-curses \
	python3-openssl python3-gi gir1.2-gmime-3.0 swaks msmtp isync interimap mutt neomutt \
	fetchmail offlineimap3 \
	thunderbird libnss3-tools gpgsm python3-prometheus-client faketime
PACKAGES_systemd := systemd systemd-container mmdebstrap python3-pytest iproute2 util-linux zstd
PACKAGES_deb := build-essential debhelper dpkg-dev fakeroot lintian
PACKAGES_container := podman crun conmon mmdebstrap util-linux iproute2 python3-pytest python3-yaml
PACKAGES_bench := xinetd ucspi-tcp stunnel4 systemd openssl openssh-client libhiredis0.14 \
	libmemcached11 libmemcachedutil2 libpcre2-posix3 libsodium23 libwrap0 libident libunwind8 \
	libicu72 libnsl2 libsasl2-2 libdb5.3
PACKAGES_test := $(sort $(PACKAGES_build) $(PACKAGES_run) $(PACKAGES_lint) $(PACKAGES_unit) \
	$(PACKAGES_fuzz) $(PACKAGES_interop) $(PACKAGES_systemd) $(PACKAGES_deb) $(PACKAGES_container) \
	$(PACKAGES_bench))
PACKAGE_PURPOSES := build run lint unit fuzz interop systemd deb container bench test

.PHONY: $(addprefix packages-,$(PACKAGE_PURPOSES))
packages-build: ## install what building needs, if missing (also: packages-run, -test, -bench ...)
$(addprefix packages-,$(PACKAGE_PURPOSES)): packages-%:
	@units/need-packages $* $(PACKAGES_$*)
