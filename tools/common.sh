# SPDX-License-Identifier: PostgreSQL
# Shell functions shared by quickstart, test and bench/run. Sourced by bash scripts that have set TOP.
#
# Principles: packages are installed by name and only when missing; PostgreSQL runs from a private copy of its
# installed files ("server tree", about 65 MB), so that neither the system's PostgreSQL nor any cluster of it is touched
# and nothing but apt needs root; the server listens on a Unix socket in a directory of its own and on no network port.

PG_CONFIG_WANTED=${PG_CONFIG:-}
# Settings of the caller's own clients (PGHOST, PGPORT, PGDATABASE, ...) must not lead us to another server.
for variable in $(compgen -e PG); do
	[[ $variable == PGVECTOR_* ]] || unset "$variable"
done

BUILD_PACKAGES="g++ make libhnswlib-dev libxsimd-dev"

# With "set -e", a command that fails where nobody asks ends the script: say which.
set -E
trap 'printf "%s: failed in line %s of %s: %s\n" "$(basename "$0")" "$LINENO" "${BASH_SOURCE[0]}" "$BASH_COMMAND" >&2' ERR

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# --- privileges ----------------------------------------------------------------------------------------------------

# Runs a command with root's rights: only for apt.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this step needs root or sudo: $*"
	fi
}

# PostgreSQL refuses to run as root, so root runs it as user postgres (which the Debian packages create); anyone else runs
# it as themselves. Call after the packages are there.
choose_service_user() {
	SERVICE_USER=$(id -un)
	if [ "$(id -u)" = 0 ]; then
		SERVICE_USER=postgres
		id postgres >/dev/null 2>&1 || die "there is no user postgres: is package postgresql-common installed?"
	fi
}

# Runs a command as the service user, in a directory that it can enter: paths must be absolute.
as_service() {
	if [ "$(id -un)" = "$SERVICE_USER" ]; then
		(cd / && exec "$@")
	else
		(cd / && exec runuser -u "$SERVICE_USER" -- "$@")
	fi
}

# --- packages ------------------------------------------------------------------------------------------------------

package_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages NAME...: installs those that are missing. No network access when none is.
need_packages() {
	local missing=() name guard=
	for name in "$@"; do
		package_installed "$name" || missing+=("$name")
	done
	[ ${#missing[@]} = 0 ] && return 0
	command -v apt-get >/dev/null || die "please install the counterparts of these Debian packages: ${missing[*]}"
	say "installing packages: ${missing[*]}"
	# Debian's server package creates and starts a cluster "main" when it is new. Not wanted here: say so for the time of
	# the installation, in a file of our own. A cluster that exists already is not affected.
	local conf=/etc/postgresql-common/createcluster.d
	if [ ! -e "$conf/vecdb-tools.conf" ]; then
		guard=$conf/vecdb-tools.conf
		as_root mkdir -p "$conf"
		echo "create_main_cluster = false" | as_root tee "$guard" >/dev/null
	fi
	local log rc=0
	log=$(mktemp)
	{
		as_root env DEBIAN_FRONTEND=noninteractive apt-get update &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
				-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "${missing[@]}"
	} >"$log" 2>&1 </dev/null || rc=$?
	if [ -n "$guard" ]; then
		as_root rm -f "$guard"
		as_root rmdir --ignore-fail-on-non-empty "$conf"
	fi
	if [ $rc != 0 ]; then
		tail -20 "$log" >&2
		die "installing packages failed (whole output: $log)"
	fi
	rm -f "$log"
}

# want_packages NAME...: the same for packages that tests can do without: those that cannot be had are left out.
want_packages() {
	local name
	if (need_packages "$@") 2>/dev/null; then
		return 0
	fi
	for name in "$@"; do
		(need_packages "$name") >/dev/null 2>&1 || say "package $name cannot be installed here"
	done
}

# --- PostgreSQL ----------------------------------------------------------------------------------------------------

has_server_and_headers() {
	[ -x "$1/pg_config" ] && [ -x "$1/postgres" ] && [ -e "$("$1/pg_config" --includedir-server)/postgres.h" ]
}

# Sets SYSTEM_BINDIR and PG_MAJOR: of PG_CONFIG, else of the newest installed server that has its headers.
find_postgres() {
	local bindir
	SYSTEM_BINDIR=
	if [ -n "$PG_CONFIG_WANTED" ]; then
		SYSTEM_BINDIR=$("$PG_CONFIG_WANTED" --bindir) || die "PG_CONFIG=$PG_CONFIG_WANTED does not run"
		has_server_and_headers "$SYSTEM_BINDIR" || die "$SYSTEM_BINDIR has no server or no server headers"
	else
		for bindir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
			if has_server_and_headers "$bindir"; then
				SYSTEM_BINDIR=$bindir
				break
			fi
		done
	fi
	[ -n "$SYSTEM_BINDIR" ] || return 1
	PG_MAJOR=$("$SYSTEM_BINDIR/pg_config" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
}

# install_packages NAME...: the server, its headers, the compiler and the packages named, where they are missing. Then sets
# what find_postgres sets.
install_packages() {
	local major= file
	if find_postgres; then
		# shellcheck disable=SC2086
		need_packages $BUILD_PACKAGES "$@"
		return
	fi
	# A server without headers: take the headers of the same release. Nothing at all: the distribution's release.
	for file in /usr/lib/postgresql/*/bin/postgres; do
		[ ! -x "$file" ] || major=$(printf '%s\n' "$major" "$(printf '%s' "$file" | cut -d/ -f5)" | sort -V | tail -1)
	done
	if [ -z "$major" ]; then
		[ -n "$(apt-cache search --names-only '^postgresql-[0-9]+$' 2>/dev/null)" ] || as_root apt-get update >/dev/null
		major=$({ apt-cache show postgresql 2>/dev/null || true; } | sed -nE 's/^Depends:.*postgresql-([0-9]+).*/\1/p' | head -1)
	fi
	[ -n "$major" ] || die "no PostgreSQL found, and no package postgresql to install it from"
	# shellcheck disable=SC2086
	need_packages "postgresql-$major" "postgresql-server-dev-$major" $BUILD_PACKAGES "$@"
	find_postgres || die "PostgreSQL $major was installed, but its server or headers are not where they should be"
}

# server_tree DIR: copies the installed PostgreSQL to DIR and sets PG_BINDIR and PG_CONFIG to the copy. PostgreSQL finds its
# files relative to its own binaries, so "make install PG_CONFIG=..." and CREATE EXTENSION stay inside DIR.
server_tree() {
	local tree=$1 stamp path
	stamp="2 $SYSTEM_BINDIR $("$SYSTEM_BINDIR/postgres" --version) $(stat -c %Y "$SYSTEM_BINDIR/postgres")"
	PG_BINDIR=$tree$SYSTEM_BINDIR
	PG_CONFIG=$PG_BINDIR/pg_config
	if [ "$(cat "$tree/stamp" 2>/dev/null)" = "$stamp" ]; then
		return 0
	fi
	as_service rm -rf "$tree"
	as_service mkdir -p "$tree"
	# All that an extension's "make install" writes to.
	for path in "$SYSTEM_BINDIR" "$("$SYSTEM_BINDIR/pg_config" --pkglibdir)" "$("$SYSTEM_BINDIR/pg_config" --sharedir)" \
		"$("$SYSTEM_BINDIR/pg_config" --pkgincludedir)" "$("$SYSTEM_BINDIR/pg_config" --includedir-server)"; do
		as_service mkdir -p "$tree$path"
		as_service cp -a "$path/." "$tree$path/"
	done
	# Only read from: may stay where they are.
	for path in "$("$SYSTEM_BINDIR/pg_config" --includedir)" "$("$SYSTEM_BINDIR/pg_config" --libdir)"; do
		as_service mkdir -p "$(dirname "$tree$path")"
		[ -e "$tree$path" ] || as_service ln -s "$path" "$tree$path"
	done
	# Neither an older vecdb, nor pgvector or the shim in its place.
	as_service rm -f "$tree$("$SYSTEM_BINDIR/pg_config" --pkglibdir)"/{vecdb,vector}.so
	as_service find "$tree$("$SYSTEM_BINDIR/pg_config" --sharedir)/extension" \
		\( -name 'vecdb*' -o -name vector.control -o -name 'vector--*.sql' \) -delete
	case $("$PG_CONFIG" --sharedir) in
		"$tree"/*) ;;
		*) die "PostgreSQL in $SYSTEM_BINDIR cannot be run from a copy of its files" ;;
	esac
	printf '%s' "$stamp" | as_service tee "$tree/stamp" >/dev/null
}

# --- directories ---------------------------------------------------------------------------------------------------

# work_dir NAME: sets WORK to a directory for NAME that the service user owns: TOP/NAME where that user can reach it,
# else one under /var/tmp that is always the same for this clone.
work_dir() {
	WORK=$TOP/$1
	if ! as_service test -r "$TOP" -a -x "$TOP"; then
		WORK=/var/tmp/vecdb-$(id -u)-$(printf '%s' "$TOP" | cksum | cut -d' ' -f1)/$(basename "$1")
	fi
	mkdir -p "$(dirname "$WORK")"
	# In /var/tmp anyone can make a directory: use none that another user left for us.
	[ "${WORK#"$TOP"}" != "$WORK" ] || [ -O "$(dirname "$WORK")" ] || die "$(dirname "$WORK") belongs to another user"
	[ -d "$WORK" ] || mkdir -m 700 "$WORK"
	[ -O "$WORK" ] || [ "$(stat -c %U "$WORK")" = "$SERVICE_USER" ] || die "$WORK belongs to another user"
	if [ "$(stat -c %U "$WORK")" != "$SERVICE_USER" ]; then
		chown "$SERVICE_USER" "$WORK"
	fi
	if ! as_service test -w "$WORK" -a -x "$WORK"; then
		die "user $SERVICE_USER cannot use $WORK"
	fi
}

# sync_tree DIR: makes DIR a copy of the sources in TOP as they are now, owned by the service user. Build products that DIR
# has are kept, so that a second build is short; files that TOP no longer has are removed.
sync_tree() {
	local copy=$1 list
	list=$(mktemp)
	chmod 644 "$list"
	source_files "$TOP" >"$list"
	as_service mkdir -p "$copy"
	tar -C "$TOP" --null -T <(tr '\n' '\0' <"$list") -c | as_service tar -C "$copy" -x --no-same-owner
	source_files "$copy" | comm -13 "$list" - | while IFS= read -r file; do
		as_service rm -f "$copy/$file"
	done
	rm -f "$list"
}

# Files of a tree that are not build products or results, sorted.
source_files() {
	(cd "$1" && find . -name .git -prune -o -name results -prune -o -name tmp_check -prune -o -name output_iso -prune \
		-o -path ./build -prune -o -path './build-*' -prune -o -path ./.quickstart -prune -o -path ./bench/client/client -prune \
		-o -type f ! -name '*.o' ! -name '*.d' ! -name '*.so' ! -name 'regression.*' -print | LC_ALL=C sort)
}

# --- a private cluster ---------------------------------------------------------------------------------------------

# cluster_create DIR: a new cluster in DIR/data, with its socket in DIR/socket and its log in DIR/server.log, replacing what
# is there. Sets PGHOST and PGPORT. SHARED_MB: another size of shared_buffers.
cluster_create() {
	local memory_mb shared_mb
	cluster_at "$1"
	cluster_stop
	as_service rm -rf "$CLUSTER/data" "$CLUSTER/server.log"
	as_service mkdir -p "$CLUSTER"
	# Only its owner (and root) can enter the socket's directory, so local connections need no password.
	as_service mkdir -p -m 700 "$PGHOST"
	as_service "$PG_BINDIR/initdb" -D "$CLUSTER/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
		>"$SCRATCH_LOG" 2>&1 || { cat "$SCRATCH_LOG" >&2; die "initdb failed"; }
	memory_mb=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
	shared_mb=${SHARED_MB:-$((memory_mb / 8 > 2048 ? 2048 : memory_mb / 8))}
	as_service tee -a "$CLUSTER/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		port = $PGPORT
		unix_socket_directories = '$PGHOST'
		unix_socket_permissions = 0700
		shared_buffers = ${shared_mb}MB
		maintenance_work_mem = $((memory_mb / 16 > 1024 ? 1024 : memory_mb / 16))MB
		max_wal_size = 4GB
		max_parallel_maintenance_workers = $(($(nproc) > 8 ? 8 : $(nproc)))
		max_worker_processes = $(($(nproc) + 8))
		fsync = on
		jit = off
		log_line_prefix = '%m [%p] %q%a '
		cluster_name = 'vecdb-$(basename "$CLUSTER")'
	CONF
}

# cluster_at DIR: points PGHOST, PGPORT and PGUSER at the cluster of DIR, without touching it.
cluster_at() {
	CLUSTER=$1
	SCRATCH_LOG=${SCRATCH_LOG:-$(mktemp)}
	PGPORT=54320
	PGUSER=postgres
	PGHOST=$CLUSTER/socket
	# A socket's path is limited to 107 bytes.
	if [ ${#PGHOST} -gt 85 ]; then
		PGHOST=/var/tmp/vecdb-socket-$(id -u)-$(printf '%s' "$CLUSTER" | cksum | cut -d' ' -f1)
	fi
	export PGHOST PGPORT PGUSER
}

cluster_running() {
	[ -d "$CLUSTER/data" ] && as_service "$PG_BINDIR/pg_ctl" -D "$CLUSTER/data" status >/dev/null 2>&1
}

cluster_start() {
	cluster_running && return 0
	as_service "$PG_BINDIR/pg_ctl" -D "$CLUSTER/data" -l "$CLUSTER/server.log" -w -t 60 start >/dev/null </dev/null ||
		{ as_service tail -20 "$CLUSTER/server.log" >&2; die "the server in $CLUSTER did not start"; }
}

cluster_stop() {
	cluster_running || return 0
	as_service "$PG_BINDIR/pg_ctl" -D "$CLUSTER/data" -w -m fast stop >/dev/null
}

# psql for scripts: stops at the first error, prints bare values.
sql() {
	as_service "$PG_BINDIR/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}
