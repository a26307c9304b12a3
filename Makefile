# Every target sets up what it needs: `make demo` and `make test` work in a fresh clone.
.DEFAULT_GOAL := help
.PHONY: help demo dev cluster test check model soak bench clean

# tsx by way of node: no process in between that would hold back a signal.
TS := node --import=tsx

# Packages are there, and are those of the lock file.
INSTALLED := node_modules/.larder-installed
BENCH_INSTALLED := bench/node_modules/.larder-installed

help: ## Show this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '%-12s %s\n' "$$target" "$$text"; done
	@printf '\nnpm run NAME -- --help says more of each:\n\n'
	@sed -n 's/^    "\([a-z:]*\)": "tsx \(.*\)",\{0,1\}$$/npm run \1/p' package.json
	@printf '\nREADME.md leads to the documentation in docs/.\n'

demo: $(INSTALLED) ## Start everything with sample data, show the nested query cold and warm, and stay up until Ctrl-C
	@exec $(TS) src/cli/demo.ts

dev: $(INSTALLED) ## Start everything with sample data, and restart the server at each change of a source file
	@exec $(TS) src/cli/dev.ts

cluster: $(INSTALLED) ## Start four servers, Postgres replicas and Redis, kill one of each while a judge reads, and say what it saw
	@exec $(TS) src/cli/cluster.ts

test: $(INSTALLED) ## Check format, lint, types, schema and migrations, and run all tests, the browser ones included
	@exec $(TS) test/run.ts

check: $(INSTALLED) ## The quick loop: the same checks, and the tests that take less than about a second each
	@exec $(TS) test/run.ts --quick

model: $(INSTALLED) ## Search the model of the cache's protocol: whole, and without each of its parts
	@exec $(TS) test/model/run.ts

soak: $(INSTALLED) ## Run the race suite until Ctrl-C, or for SOAK_MINUTES
	@exec $(TS) test/races/soak.ts

bench: $(INSTALLED) $(BENCH_INSTALLED) ## Measure Larder beside its peers in 15 minutes, or with QUICK=1 in 4; bench/README.md tells the rest
	@npm run --silent build
	@npm run --silent --prefix bench build
	@exec $(TS) bench/run.ts

clean: $(INSTALLED) ## Remove what was built and the data of demo and dev
	@exec $(TS) src/cli/clean.ts

$(INSTALLED): package.json package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' || \
		{ echo 'Larder needs Node 20.19 or later: see https://nodejs.org/en/download' >&2; exit 1; }
	@exec node src/cli/install.js
	@touch $@

# The peers' packages are nobody else's. One of them asks for Node 22, and runs on that of npm's package `node`, whatever npm itself runs on.
$(BENCH_INSTALLED): bench/package.json bench/package-lock.json
	@node src/cli/install.js bench
	@touch $@
