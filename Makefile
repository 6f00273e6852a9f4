# `make help` lists what can be made.
#
#   ARGS="…"        options of train, sample, bench or reproduce, as in: make train ARGS="--n_layer 2"
#   FULL=1          reproduce at the paper's larger size: hours
#   PORTABLE=1      programs that run on other machines too, at some cost in speed
#   PREFIX=…        where to install, /usr/local if not said

JOBS    := $(shell nproc 2>/dev/null || echo 2)
BUILD   := build
CMAKE   := cmake -S . -DQISA_PORTABLE=$(if $(PORTABLE),ON,OFF)
CONFIGURE = $(CMAKE) -B $(BUILD) >/dev/null
COMPILE := cmake --build $(BUILD) --parallel $(JOBS)
PREFIX  := /usr/local
PROGRAMS := train sample evaluate bench reproduce
FOLDERS := tensor autograd quantum nn apps
, := ,

PACKAGES := g++ cmake make libopenblas-dev libfmt-dev catch2 libbenchmark-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev pkg-config \
            $(if $(shell command -v curl wget),,curl ca-certificates)

DATA_URL    := https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt
DATA_SHA256 := 86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed

.PHONY: help deps build install train sample test lines soak check peers fuzz coverage mutate bench reproduce data format clean
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

deps: ## install what is missing, with the system's package manager
	@if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then \
	  echo "deps: no apt-get here; if the build stops, install what corresponds to: $(PACKAGES)"; \
	else \
	  missing=""; \
	  for package in $(PACKAGES) $(EXTRA_PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	  done; \
	  if [ -n "$$missing" ]; then \
	    echo "deps: installing$$missing"; \
	    sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	    log=$$(mktemp); \
	    { $$sudo apt-get update && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y --no-install-recommends $$missing; } \
	      >$$log 2>&1 || { tail -n 5 $$log; echo "deps: apt-get could not install$$missing; the lines above say why"; exit 1; }; \
	    rm -f $$log; \
	  fi; \
	fi

build: deps ## all programs, in apps/
	@$(CONFIGURE)
	@$(COMPILE) --target $(PROGRAMS)

install: deps ## the library alone, for other programs to build on, under PREFIX
	@$(CMAKE) -B $(BUILD)/library -DQISA_LIBRARY_ONLY=ON >/dev/null
	@cmake --build $(BUILD)/library --parallel $(JOBS)
	@cmake --install $(BUILD)/library --prefix "$(PREFIX)" >/dev/null
	@echo "install: the library is in $(PREFIX)"

train: deps ## train a model on data/shakespeare.txt, or without a network on the built-in play
	@$(CONFIGURE)
	@$(COMPILE) --target train sample
	@[ -f data/shakespeare.txt ] || $(MAKE) -s data || true
	@./apps/train $(ARGS)

sample: deps ## write text with the newest model
	@$(CONFIGURE)
	@$(COMPILE) --target sample
	@./apps/sample $(ARGS)

bench: deps ## time inference, training, circuits and BLAS
	@$(CONFIGURE)
	@$(COMPILE) --target bench
	@./apps/bench $(ARGS)

reproduce: EXTRA_PACKAGES = $(if $(shell command -v gnuplot),,gnuplot-nox)
reproduce: deps ## the paper's claims, with and without its leak, in results/; goes on where it stopped
	@$(CONFIGURE)
	@$(COMPILE) --target reproduce
	@[ -f data/shakespeare.txt ] || $(MAKE) -s data >/dev/null 2>&1 \
	  || { echo "reproduce: needs data/shakespeare.txt, and 'make data' cannot fetch it; put tiny Shakespeare there by hand"; exit 1; }
	@./apps/reproduce $(if $(FULL),--full) $(ARGS)

test: deps ## build and run all tests
	@$(CONFIGURE)
	@$(COMPILE)
	@ctest --test-dir $(BUILD) --parallel $(JOBS) --output-on-failure --progress

soak: deps ## kill a training 1000 times at random instants (KILLS="…"), resuming each time
	@$(CONFIGURE)
	@$(COMPILE) --target tests_apps
	@QISA_KILLS=$(or $(KILLS),1000) $(BUILD)/tests_apps "A run that is killed at random instants*" --warn NoTests

# Other builds than the usual one, each with programs of its own.
OTHER = $(CMAKE) -B $(BUILD)/$(1) -DQISA_PROGRAMS=$(CURDIR)/$(BUILD)/$(1)/programs $(2) >/dev/null

# clang-tidy reports clang's warnings too.
check: EXTRA_PACKAGES = clang clang-format clang-tidy
check: deps ## format, warnings of gcc and clang, clang-tidy, the library in other projects, sources together in any number; all tests under sanitizers, training under the one of threads
	@clang-format --dry-run -Werror $$(git ls-files '*.cpp' '*.hpp')
	@$(call OTHER,tidy,-DCMAKE_CXX_COMPILER=clang++ -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DQISA_STRICT=ON -DQISA_FLAVOURS=float)
	@sed -n 's/^ *"file": "\(.*\)".*/\1/p' $(BUILD)/tidy/compile_commands.json | sort -u \
	  | xargs -P $(JOBS) -n 1 clang-tidy --quiet -p $(BUILD)/tidy 2>/dev/null
	@for batch in 0 1 2; do \
	  $(call OTHER,batch,-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DQISA_BATCH=$$batch) \
	    && cmake --build $(BUILD)/batch --parallel $(JOBS) || exit 1; \
	done
	@$(CONFIGURE)
	@cmake --build $(BUILD) --parallel $(JOBS) --target qisa_float qisa_double
	@for door in install headers fetch; do tests/doors/doors.sh $$door $(CURDIR) $(CURDIR)/$(BUILD) c++ || exit 1; done
	@$(call OTHER,check,-DQISA_STRICT=ON -DQISA_SANITIZE=address$(,)undefined)
	@cmake --build $(BUILD)/check --parallel $(JOBS)
	@QISA_KILLS=20 ctest --test-dir $(BUILD)/check --parallel $(JOBS) --output-on-failure --progress
	@$(call OTHER,thread,-DQISA_STRICT=ON -DQISA_FLAVOURS=float -DQISA_SANITIZE=thread -DQISA_TESTS='/(trainer|workers|evaluation)_test')
	@cmake --build $(BUILD)/thread --parallel $(JOBS) --target tests_float train
	@ctest --test-dir $(BUILD)/thread --tests-regex '^float:' --output-on-failure --progress
	@./$(BUILD)/thread/programs/train --data builtin --n_layer 2 --max_iters 3 --eval_iters 1 --threads 4 --out_dir $(BUILD)/thread/run --overwrite
	@TSAN_OPTIONS=halt_on_error=1 timeout --preserve-status --signal INT 10 ./$(BUILD)/thread/programs/train --data builtin --n_layer 1 --n_embd 16 --eval_interval 7 --eval_iters 1 \
	  --log_interval 1 --sample_interval 5 --threads 4 --out_dir $(BUILD)/thread/stopped --overwrite >/dev/null; test $$? -eq 130
	@echo "check: all is well"

peers: EXTRA_PACKAGES = python3-venv
peers: deps ## what other programs say of the same files (needs Python, and the network for a package)
	@$(CONFIGURE)
	@cmake --build $(BUILD) --parallel $(JOBS) --target tests_float
	@python3 -m venv $(BUILD)/peers && $(BUILD)/peers/bin/pip install --quiet --disable-pip-version-check safetensors==0.8.0
	@$(BUILD)/peers/bin/python tests/peers/safetensors_verdicts.py $(BUILD)/tests_float

FUZZ_SECONDS := 60
fuzz: EXTRA_PACKAGES = clang libclang-rt-dev
fuzz: deps ## feed the checkpoint reader and the options with bytes made to break them, a minute each
	@$(call OTHER,fuzz,-DCMAKE_CXX_COMPILER=clang++ -DQISA_FLAVOURS=float -DQISA_SANITIZE=address$(,)undefined -DQISA_FUZZ=ON)
	@cmake --build $(BUILD)/fuzz --parallel $(JOBS) --target fuzz_checkpoint fuzz_options
	@for target in checkpoint options; do \
	  mkdir -p $(BUILD)/fuzz/corpus/$$target; \
	  ./$(BUILD)/fuzz/fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=60 -rss_limit_mb=1024 \
	    -artifact_prefix=$(BUILD)/fuzz/$$target- -print_final_stats=1 \
	    $(BUILD)/fuzz/corpus/$$target tests/fuzz/corpus/$$target || exit 1; \
	done

coverage: EXTRA_PACKAGES = gcovr
coverage: deps ## which lines of the five folders the tests run: a row for each folder, and the lines that none runs
	@$(call OTHER,coverage,-DQISA_COVERAGE=ON)
	@cmake --build $(BUILD)/coverage --parallel $(JOBS)
	@find $(BUILD)/coverage -name '*.gcda' -delete
	@QISA_KILLS=20 ctest --test-dir $(BUILD)/coverage --parallel $(JOBS) --output-on-failure --progress
	@gcovr --root . $(FOLDERS:%=--filter %/) --csv $(BUILD)/coverage.csv --txt $(BUILD)/coverage.txt $(BUILD)/coverage
	@sed -n '/^[a-z].*[0-9]%.*[0-9]/p' $(BUILD)/coverage.txt
	@for folder in $(FOLDERS) '[a-z]*'; do \
	  awk -F, -v folder="$$folder" '$$1 ~ "^" folder "/" {lines += $$2; run += $$3} END { \
	    printf "%-10s %6d of %6d lines  %5.1f %%\n", folder == "[a-z]*" ? "all" : folder, run, lines, 100 * run / lines; \
	    exit run < 0.95 * lines}' $(BUILD)/coverage.csv; \
	done

# In a copy, so that nothing happens to the working tree. Unity builds off: a fault compiles its own source alone.
MUTATE = $(BUILD)/mutate
mutate: deps ## put small faults into a copy of the libraries (MUTANTS=200 SEED=1 FILES='quantum/*'), list what no test notices
	@mkdir -p $(MUTATE)/tree
	@git ls-files --cached --others --exclude-standard | while read -r file; do \
	  [ ! -f "$$file" ] || cmp -s "$$file" "$(MUTATE)/tree/$$file" || cp --parents "$$file" $(MUTATE)/tree; \
	done
	@cd $(MUTATE)/tree && find . -type f | while read -r file; do [ -f "$(CURDIR)/$$file" ] || rm "$$file"; done
	@cmake -S $(MUTATE)/tree -B $(MUTATE)/build -DCMAKE_BUILD_TYPE=Mutate -DCMAKE_CXX_FLAGS_MUTATE=-O1 \
	  -DQISA_BATCH=1 -DQISA_PROGRAMS=$(CURDIR)/$(MUTATE)/programs >/dev/null
	@cmake --build $(MUTATE)/build --parallel $(JOBS) --target mutate tests_float tests_double
	@$(MUTATE)/build/mutate --tree $(CURDIR)/$(MUTATE)/tree --build $(CURDIR)/$(MUTATE)/build --room $(CURDIR)/$(MUTATE)/room \
	  --jobs $(JOBS) --mutants $(or $(MUTANTS),200) --seed $(or $(SEED),1) --files '$(or $(FILES),*)' $(ARGS)

data: ## fetch tiny Shakespeare (1.1 MB) into data/, and verify it
	@mkdir -p data
	@part=data/shakespeare.txt.part; \
	if command -v curl >/dev/null; then curl -fsSL --connect-timeout 10 --max-time 120 -o $$part $(DATA_URL) 2>/dev/null; \
	else wget -q --timeout=10 --tries=1 -O $$part $(DATA_URL); fi \
	  || { rm -f $$part; echo "data: cannot reach $(DATA_URL)"; exit 1; }; \
	echo "$(DATA_SHA256)  $$part" | sha256sum --check --status \
	  || { rm -f $$part; echo "data: what came is not tiny Shakespeare: its SHA-256 is wrong"; exit 1; }; \
	mv $$part data/shakespeare.txt; echo "data: data/shakespeare.txt"

# Neither comments nor blank lines nor includes; rooms (folders in the four) are counted again in their folder.
CODE = cat $(1) | grep -vE '^\s*(//.*)?$$' | grep -vE '^\s*\#\s*(include|pragma once)' | wc -l
lines: ## the lines of code of the library, a row a folder and a room
	@for folder in tensor autograd quantum nn; do \
	  for room in $$folder $$(find $$folder -mindepth 1 -type d | sort); do \
	    printf '%-15s %5d\n' $$room $$($(call CODE,$$(git ls-files $$room | grep -E '\.(cpp|hpp)$$'))); \
	  done; \
	done
	@printf '%-15s %5d\n' all $$($(call CODE,$$(git ls-files tensor autograd quantum nn | grep -E '\.(cpp|hpp)$$')))

format: ## format all sources
	@clang-format -i $$(git ls-files '*.cpp' '*.hpp')

clean: ## remove what was built; runs/, results/ and data/ stay
	@rm -rf $(BUILD) $(PROGRAMS:%=apps/%)
