# vecdb: the extension, by PGXS. The pure core alone (unit tests, fuzzers, benchmarks): CMakeLists.txt.
#
#   make && make install          build and install into the server that PG_CONFIG names
#   make installcheck             pg_regress, isolation and TAP tests against a running server
#   make check-static             layers, regime, exported symbols, versions, coverage
#   make install-shim             after install: CREATE EXTENSION vector gives vecdb; not where pgvector is installed
#   make uninstall-shim           takes that away again

EXTENSION  = vecdb
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" vecdb.control)
MODULE_big = vecdb

CORE_SRC   = $(sort $(wildcard src/core/*/*.cpp))
SHELL_SRC  = $(sort src/module.cpp $(wildcard src/pg/*.cpp src/types/*.cpp src/storage/*.cpp src/hnsw/*.cpp src/ivf/*.cpp src/search/*.cpp src/maintenance/*.cpp src/api/*.cpp))
OBJS       = $(CORE_SRC:.cpp=.o) $(SHELL_SRC:.cpp=.o)

SQL_PARTS  = $(sort $(wildcard sql/install/*.sql))
DATA_built = build/vecdb--$(EXTVERSION).sql

REGRESS      = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --inputdir=. --load-extension=vecdb
ISOLATION      = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation --load-extension=vecdb
TAP_TESTS    = 1
PROVE_TESTS  = $(sort $(wildcard test/t/*.pl))

# The bitcode step ignores C++ and per-object ISA flags, and fails on C++20.
override with_llvm = no

PG_CONFIG ?= pg_config
WARN         = -Wall -Wextra -Wshadow -Wconversion -Werror -Wno-missing-field-initializers -Wno-suggest-attribute=format
# clang does not know some of the server's flags for g++, nor gnu_printf, and warns about volatile counters in its macros.
ifneq ($(findstring clang,$(CXX)),)
WARN        += -Wno-unknown-warning-option -Wno-ignored-attributes -Wno-deprecated-volatile
endif
PG_CPPFLAGS  = -Iinclude -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) \
               -DPGDLLEXPORT='__attribute__((visibility("default")))' -DVECDB_VERSION='"$(EXTVERSION)"'
# Functions begin a cache line: a distance of 128 dimensions takes 10 ns, and up to 1 more where its loops straddle lines.
PG_CXXFLAGS  = -std=c++20 -O3 -falign-functions=64 -fvisibility=hidden -fno-math-errno -MMD -MP $(WARN) -Wno-sign-conversion $(XFLAGS)
SHLIB_LINK  += -lstdc++ -lpthread -Wl,--version-script=vecdb.map $(XLINK)
EXTRA_CLEAN  = build $(OBJS:.o=.d)

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# PostgreSQL's C warning flags do not apply to C++; ISA flags only on the one object that needs them.
ifneq ($(filter x86_64 amd64,$(shell uname -m)),)
src/core/distance/kernels_avx2.o: CXXFLAGS += -mavx2 -mfma -mf16c
src/core/distance/kernels_avx512.o: CXXFLAGS += -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx2 -mfma -mf16c
src/core/distance/kernels_avx512vnni.o: CXXFLAGS += -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma -mf16c
src/core/distance/kernels_avx512vpopcnt.o: CXXFLAGS += -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl -mavx512vnni -mavx512vpopcntdq -mavx2 -mfma -mf16c
endif
ifneq ($(filter aarch64 arm64,$(shell uname -m)),)
src/core/distance/kernels_neondot.o: CXXFLAGS += -march=armv8.2-a+dotprod
endif

build/vecdb--$(EXTVERSION).sql: $(SQL_PARTS) vecdb.control
	@mkdir -p build
	{ printf '%s\n' '\echo Use "CREATE EXTENSION vecdb" to load this file. \quit'; cat $(SQL_PARTS); } > $@

vecdb.so: vecdb.map

.PHONY: check-static
check-static:
	tools/check_layers
	tools/check_regime
	tools/check_symbols
	tools/check_versions
	tools/check_coverage

# Extension "vector", which only stands for vecdb. Files of that name that are not the shim's are pgvector's: left alone.
SHIM_DIR     = $(DESTDIR)$(datadir)/extension
SHIM_FILES   = vector.control $(notdir $(wildcard shim/vector--*.sql))
SHIM_FOREIGN = test -e '$(DESTDIR)$(pkglibdir)/vector$(DLSUFFIX)' || { ls '$(SHIM_DIR)'/vector.control '$(SHIM_DIR)'/vector--*.sql 2>/dev/null | \
	grep -q . && ! grep -qs '^\# The shim of vecdb' '$(SHIM_DIR)/vector.control'; }

.PHONY: install-shim uninstall-shim
install-shim:
	@if $(SHIM_FOREIGN); then \
		echo 'install-shim: pgvector is installed in $(SHIM_DIR): not overwritten.' >&2; \
		echo 'Move its databases and remove it first (docs/migrate-from-pgvector.md), or leave the shim out.' >&2; exit 1; fi
	@test -e '$(SHIM_DIR)/vecdb.control' || { echo 'install-shim: vecdb is not installed in $(SHIM_DIR): run "make install" first.' >&2; exit 1; }
	$(INSTALL_DATA) $(addprefix $(srcdir)/shim/,$(SHIM_FILES)) '$(SHIM_DIR)/'

uninstall-shim:
	@if $(SHIM_FOREIGN); then echo 'uninstall-shim: vector in $(SHIM_DIR) is pgvector, not the shim: not removed.' >&2; exit 1; fi
	rm -f $(addprefix '$(SHIM_DIR)'/,$(SHIM_FILES))

-include $(wildcard $(OBJS:.o=.d))
