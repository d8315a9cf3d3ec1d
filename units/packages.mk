packages-build:
