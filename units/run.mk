# The demo instance in ./run (units/demo). PORT_BASE=9000: daytimed BASE+13, time stamps BASE+318,
# ftpd BASE+990 and BASE+21 (AUTH TLS), its data connections BASE+1000 to BASE+1199, chatd BASE+697,
# maild BASE+993 and BASE+465 (submission), cad BASE+443, its plain-HTTP door BASE+80.

PORT_BASE ?=

.PHONY: run stop clean-run
run: all packages-run ## start the demo instance in ./run and show that it works
	@units/demo/run.sh build/$(MAIN_VARIANT)/bin $(PORT_BASE)

stop: ## stop the demo instance
	@units/demo/stop.sh

clean-run: ## stop and remove the demo instance
	@units/demo/stop.sh --clean
