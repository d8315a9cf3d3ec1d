# make install: programs, units, accounts, folders, manual. Nothing is started or enabled.

LIBEXECDIR := $(PREFIX)/libexec/quintet
LIBEXEC_PROGRAMS := daytimed ftpd chatd maild cad cad-signer keeper metricsd
BUILT := build/$(MAIN_VARIANT)/bin

.PHONY: install uninstall
install: all ## install below DESTDIR, PREFIX, SYSCONFDIR (STATIC=1: with OpenSSL linked in)
	install -d -m 0755 '$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(PREFIX)/sbin' '$(DESTDIR)$(PREFIX)/bin'
	install -m 0755 $(addprefix $(BUILT)/,$(LIBEXEC_PROGRAMS)) '$(DESTDIR)$(LIBEXECDIR)'
	install -m 0755 $(BUILT)/quintetctl '$(DESTDIR)$(PREFIX)/sbin'
	install -m 0755 $(BUILT)/quintet '$(DESTDIR)$(PREFIX)/bin'
	units/put-units '$(DESTDIR)' '$(PREFIX)' '$(SYSCONFDIR)'
	@[ -n '$(DESTDIR)' ] || printf '%s\n' 'Installed. Next, as root:' \
		'  systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload'
	@[ -n '$(DESTDIR)' ] || [ '$(SYSCONFDIR)' = /etc ] || printf '%s\n' \
		"  export QUINTET_CONF='$(SYSCONFDIR)/quintet'   # quintetctl looks in /etc/quintet otherwise"
	@[ -n '$(DESTDIR)' ] || printf '%s\n' '  quintetctl init --domain DOMAIN --host HOST' \
		'  systemctl enable --now quintet.target'

uninstall: ## remove what install put there; state, settings and accounts stay
	rm -f $(patsubst %,'$(DESTDIR)$(LIBEXECDIR)/%',$(LIBEXEC_PROGRAMS)) \
		'$(DESTDIR)$(PREFIX)/sbin/quintetctl' '$(DESTDIR)$(PREFIX)/bin/quintet'
	-rmdir '$(DESTDIR)$(LIBEXECDIR)'
	units/put-units '$(DESTDIR)' '$(PREFIX)' '$(SYSCONFDIR)' remove
