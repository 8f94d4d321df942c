# SPDX-License-Identifier: PostgreSQL
# CREATE INDEX that is cancelled, timed out or terminated leaves no file and no valid index, and the session goes on.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('cancel', conf => ['maintenance_work_mem = 256MB']);
$node->start;
create_data_functions($node);
# enough for a build of a second or more
$node->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT i AS id, clustered(i, 64)::vector(64) AS e FROM generate_series(1, 2000) i;
	INSERT INTO t SELECT id + 2000 * n, e + plain(n, 64)::vector(64) FROM t, generate_series(1, 9) n;
	CHECKPOINT});
my $directory = $node->data_dir . '/base/' . $node->safe_psql('postgres', q{SELECT oid FROM pg_database WHERE datname = 'postgres'});
my $create = 'CREATE INDEX t_i ON t USING hnsw (e vector_l2_ops) WITH (ef_construction = 400, m = 32)';
(my $concurrently = $create) =~ s/INDEX/INDEX CONCURRENTLY/;

sub files
{
	my $known = $node->safe_psql('postgres', q{CHECKPOINT; SELECT pg_relation_filenode(oid) FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL});
	my %known = map { $_ => 1 } split /\n/, $known;
	opendir my $handle, $directory or die $!;
	my @unknown = grep { /^(\d+)/ && $1 >= 16384 && !$known{$1} } readdir $handle;
	return join ' ', @unknown;
}

is(files(), '', 'no unknown files at first');

sub after
{
	my ($what) = @_;
	is(files(), '', "$what: no files are left");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass}), '0', "$what: no index is left");
	return;
}

# --- plain ---

foreach my $ms (20, 100, 300, 700)
{
	my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = $ms;\n$create;\nRESET statement_timeout;\nSELECT 'goes on', count(*) FROM t;",
		on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	like($err, qr/ERROR:  57014/, "timeout after $ms ms");
	is($out, 'goes on|20000', "timeout after $ms ms: the session goes on");
	after("timeout after $ms ms");
}

my ($out, $err) = ('', '');
foreach my $how (qw(cancel terminate))
{
	foreach my $phase ('building index', 'linking tuples')
	{
		my $psql = start_psql($node, [ $create, q{SELECT 'goes on'} ], \$out, \$err);
		wait_for($node, "SELECT true FROM pg_stat_progress_create_index WHERE phase ~ '$phase'");
		$node->safe_psql('postgres', "SELECT pg_${how}_backend(pid) FROM pg_stat_progress_create_index");
		$psql->finish;
		like($err, $how eq 'cancel' ? qr/canceling statement/ : qr/terminating connection/, "$how in $phase");
		is($out, "goes on\n", "$how: the session goes on") if $how eq 'cancel';
		wait_for($node, 'SELECT count(*) = 0 FROM pg_stat_progress_create_index');
		after("$how in $phase");
	}
}
# REINDEX: the old index stays
$node->safe_psql('postgres', 'CREATE INDEX t_i ON t USING hnsw (e vector_l2_ops) WITH (m = 8, ef_construction = 16)');
$node->psql('postgres', q{ALTER INDEX t_i SET (m = 32, ef_construction = 400); SET statement_timeout = 100; REINDEX INDEX t_i}, on_error_stop => 0);
is(files(), '', 'REINDEX: no files are left');
is_sound($node, 't_i', 'REINDEX cancelled');
# no threads are left behind either
is($node->safe_psql('postgres', 'DROP INDEX t_i; SELECT 1'), '1', 'DROP INDEX');

# --- concurrently: an invalid index, as for any access method, and it can be dropped ---

($out, $err) = ('', '');
my $psql = start_psql($node, [ $concurrently, q{SELECT 'goes on'} ], \$out, \$err);
wait_for($node, q{SELECT true FROM pg_stat_progress_create_index WHERE phase LIKE '%linking tuples%'});
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index');
$psql->finish;
like($err, qr/canceling statement/, 'CONCURRENTLY: cancelled');
is($out, "goes on\n", 'CONCURRENTLY: the session goes on');
is($node->safe_psql('postgres', q{SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass}), 'f', 'CONCURRENTLY: the index is not valid');
$node->safe_psql('postgres', q{INSERT INTO t SELECT 100000 + i, clustered(i, 64) FROM generate_series(1, 20) i; DELETE FROM t WHERE id > 100000; VACUUM t; DROP INDEX t_i});
after('CONCURRENTLY, then DROP INDEX');

# --- a search and a vacuum that are cancelled ---

$node->safe_psql('postgres', 'CREATE INDEX t_i ON t USING hnsw (e vector_l2_ops) WITH (m = 8, ef_construction = 16)');
my ($code, $text, $error) = $node->psql('postgres', q{SET enable_seqscan = off; SET statement_timeout = 30;
	SELECT count(*) FROM generate_series(1, 1000) s, LATERAL (SELECT id FROM t ORDER BY e <-> clustered(s, 64)) x}, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($error, qr/57014/, 'a search is cancelled');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 2 = 0');
($code, $text, $error) = $node->psql('postgres', q{SET statement_timeout = 100; VACUUM t}, on_error_stop => 0);
$node->safe_psql('postgres', 'VACUUM t');
is_sound($node, 't_i', 'vacuum cancelled and run again');
is_complete($node, 't', 't_i', 'e <-> clustered(5, 64)', 'vacuum cancelled and run again');
no_crash($node, 'cancel');
$node->stop;
done_testing();
