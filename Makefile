# `make test` passes every test on a fresh machine; it installs by name what they need.
.PHONY: test demo build bench fuzz machine format vet

PACKAGES := chromium fonts-noto-core postgresql
GO ?= go

# The closing lines are go test's. What listeners and views cost in memory is measured without the
# race detector, whose own memory it would be.
test: machine format vet build
	$(GO) test -run 'Idle|AMillionViews' ./cmd/internal/httpd ./comments/audience
	$(GO) test -race -timeout 20m ./...

demo:
	$(GO) run ./cmd/duyet demo

build:
	$(GO) build ./...

# What the tests run beside Go itself: a browser, Vietnamese letters, PostgreSQL. On
# Debian, as root, what is missing is installed; elsewhere, install it by hand.
machine:
	@missing=; \
	for p in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null; then \
		echo "apt-get install$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	elif [ -n "$$missing" ]; then \
		echo "the tests want$$missing" >&2; \
	fi

format:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt -w is due on:" $$unformatted >&2; exit 1; fi

vet:
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

bench:
	$(GO) run ./cmd/bench

# Every fuzz test for a short while; TIME=10m for a long one.
TIME ?= 10s
fuzz:
	@for f in $$(git grep -lE '^func Fuzz' -- '*_test.go'); do \
		for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/p' $$f); do \
			echo "$$name in $$(dirname $$f)"; \
			$(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(TIME) ./$$(dirname $$f) || exit 1; \
		done; \
	done
