# Tests. `make test` runs all of them.
