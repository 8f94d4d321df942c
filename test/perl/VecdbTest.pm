# SPDX-License-Identifier: PostgreSQL
# What the TAP tests share: data from a seed, and the three questions asked of an index after every event: is it sound
# (vecdb.check_index), is it complete (a scan to its end returns each row once), is its recall good (vecdb.check_recall).
package VecdbTest;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use FindBin;

our @EXPORT = qw(new_node create_data_functions is_sound is_complete has_recall no_crash wait_until_up wait_for
  start_psql has_shim has_pgvector pgvector_installation doc_block
  same_lines);

# A cluster, initialised and not yet started. init: options of PostgreSQL::Test::Cluster::init; conf: lines.
sub new_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(@{ $options{init} || [] });
	# A standby that waits for its turn on a busy machine still finds its WAL.
	my @standby = grep({ $_ eq 'allows_streaming' } @{ $options{init} || [] }) ? ('wal_keep_size = 4GB') : ();
	$node->append_conf('postgresql.conf', join("\n",
		'autovacuum = off', 'shared_buffers = 32MB', 'max_parallel_maintenance_workers = 2', 'log_min_messages = warning', @standby,
		@{ $options{conf} || [] }) . "\n");
	return $node;
}

# clustered(seed, dims): integers around one of 50 centres; wide(seed, dims): 32 such elements again and again;
# plain(seed, dims): integers from 0 to 99. The same everywhere, as they come from a hash.
sub create_data_functions
{
	my ($node) = @_;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION IF NOT EXISTS vecdb;
		CREATE FUNCTION h(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT hashint4(a * 4096 + b) & 2147483647 $$;
		CREATE FUNCTION plain(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
			$$ SELECT array_agg(public.h(seed, d) % 100)::public.vector FROM generate_series(1, dims) d $$;
		CREATE FUNCTION clustered(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
			$$ SELECT array_agg(public.h(-1 - public.h(seed, 0) % 50, d) % 200 - 100 + public.h(seed, d) % 61 - 30)::public.vector
				FROM generate_series(1, dims) d $$;
		CREATE FUNCTION wide(seed int, dims int) RETURNS vector LANGUAGE sql IMMUTABLE AS
			$$ SELECT array_agg(c[1 + d % 32])::public.vector FROM (SELECT public.clustered(seed, 32)::real[] AS c OFFSET 0) x, generate_series(0, dims - 1) d $$;
	});
	return;
}

sub is_sound
{
	my ($node, $index, $what) = @_;
	is($node->safe_psql('postgres', "SELECT * FROM vecdb.check_index('$index')"), '', "$what: check_index($index) finds nothing");
	return;
}

# order: what follows ORDER BY. An ivf index is asked twice: looking into all lists, and going on from the first ones.
sub is_complete
{
	my ($node, $table, $index, $order, $what) = @_;
	my $select = "SELECT count(*), count(DISTINCT id) FROM (SELECT id FROM $table ORDER BY $order) s";
	my $ivf = $node->safe_psql('postgres', "SELECT count(*) FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE c.oid = '$index'::regclass AND amname ~ 'ivf'");
	my $got = $node->safe_psql('postgres', qq{
		SET enable_seqscan = off; SET enable_bitmapscan = off; SET vecdb.ivf_probes = 32768;
		$select;
		EXPLAIN (COSTS OFF) SELECT id FROM $table ORDER BY $order;});
	my $rows = $node->safe_psql('postgres', "SELECT count(*) FROM $table");
	like($got, qr/^\Q$rows|$rows\E\n.*\b$index\b/s, "$what: all $rows rows are found through $index");
	return unless $ivf;
	$got = $node->safe_psql('postgres', qq{SET enable_seqscan = off; SET ivfflat.iterative_scan = relaxed_order; SET vecdb.ivf_probes = 2; $select;});
	is($got, "$rows|$rows", "$what: all $rows rows, list by list");
	return;
}

sub has_recall
{
	my ($node, $index, $floor, $what, $samples) = @_;
	$samples ||= 50;
	my $recall = $node->safe_psql('postgres', "SELECT recall FROM vecdb.check_recall('$index', $samples, 10)");
	cmp_ok($recall, '>=', $floor, "$what: recall\@10 of $index is $recall, at least $floor");
	return;
}

# No process of the server died of a signal (but those that the test itself killed, from $offset of the log on).
sub no_crash
{
	my ($node, $what, $offset) = @_;
	my $log = slurp_file($node->logfile, $offset || 0);
	my @bad = grep { /terminated by signal|PANIC:|TRAP:|runtime error:/ } split /\n/, $log;
	is(join("\n", @bad), '', "$what: no process died");
	return;
}

sub wait_until_up
{
	my ($node) = @_;
	$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'the server does not come back';
	return;
}

# Until the query says t; dies after some time.
sub wait_for
{
	my ($node, $query) = @_;
	$node->poll_query_until('postgres', $query) or die "never true: $query";
	return;
}

# psql in the background with some statements: an IPC::Run handle. Its output goes to the two references, in finish().
sub start_psql
{
	my ($node, $statements, $out, $err) = @_;
	return IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), map { ('-c', $_) } @$statements ],
		'<', '/dev/null', '>', $out, '2>', $err);
}

# Which extension "vector" the server under test has: the shim, pgvector or none. An installation elsewhere: its bin directory.
sub has_shim
{
	my $control = vector_control(@_);
	return defined $control && $control =~ /^# The shim of vecdb/;
}

sub has_pgvector
{
	my $control = vector_control(@_);
	return defined $control && $control !~ /^# The shim of vecdb/;
}

sub vector_control
{
	my ($bin) = @_;
	my $pg_config = $bin ? "$bin/pg_config" : $ENV{PG_CONFIG} || 'pg_config';
	chomp(my $share = `$pg_config --sharedir`);
	my $file = "$share/extension/vector.control";
	return -e $file ? slurp_file($file) : undef;
}

# Another PostgreSQL installation that has pgvector, as an install_path for PostgreSQL::Test::Cluster: PGVECTOR_INSTALL names it
# (tools/test does). None: undef.
sub pgvector_installation
{
	my $path = $ENV{PGVECTOR_INSTALL} or return;
	die "PGVECTOR_INSTALL=$path has no pgvector" unless has_pgvector("$path/bin");
	return $path;
}

# is() for long texts: names the first lines that differ.
sub same_lines
{
	my ($got, $wanted, $what) = @_;
	my @got = split /\n/, $got, -1;
	my @wanted = split /\n/, $wanted, -1;
	my @bad = grep { ($got[$_] // 'nothing') ne ($wanted[$_] // 'nothing') } 0 .. ($#got > $#wanted ? $#got : $#wanted);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(1, $what) unless @bad;
	fail($what);
	diag("line $_\n  got:    " . ($got[$_] // 'nothing') . "\n  wanted: " . ($wanted[$_] // 'nothing')) for @bad[ 0 .. ($#bad > 4 ? 4 : $#bad) ];
	return 0;
}

# A block of a page of docs/ that is marked "<!-- test: name -->", to be run as it is printed.
sub doc_block
{
	my ($page, $name) = @_;
	my $text = slurp_file("$FindBin::RealBin/../../docs/$page");
	$text =~ /^( *)<!-- test: \Q$name\E -->\n+\1```sh\n(.*?)^\1```$/ms or die "$page has no block $name";
	my ($indent, $block) = ($1, $2);
	$block =~ s/^$indent//mg;
	return $block;
}

1;
