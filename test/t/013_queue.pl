# SPDX-License-Identifier: PostgreSQL
# Rows of one statement, linked together: prepared transactions, a crash in the middle, two writers and VACUUM at once,
# parallel workers, a replica, cancel at many places.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('queue', init => [ allows_streaming => 1 ],
	conf => [ 'max_prepared_transactions = 4', 'restart_after_crash = on', 'checkpoint_timeout = 1h', 'maintenance_work_mem = 16MB' ]);
$node->start;
create_data_functions($node);
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('queue_standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{
	CREATE TABLE src AS SELECT i AS id, clustered(i, 16)::vector(16) AS e FROM generate_series(1, 12000) i;
	CREATE TABLE t (id int, e vector(16));
	CREATE INDEX t_i ON t USING hnsw (e vector_l2_ops) WITH (layout = fused, ef_construction = 40);
	INSERT INTO t SELECT * FROM src WHERE id <= 2000});

sub check
{
	my ($what, $where) = @_;
	is_sound($_, 't_i', $what) for $where || $node;
	is_complete($where || $node, 't', 't_i', 'e <-> clustered(100000, 16)', $what);
	has_recall($where || $node, 't_i', 0.95, $what);
	return;
}
check('at first');

# --- prepared ---

$node->safe_psql('postgres', q{BEGIN; INSERT INTO t SELECT * FROM src WHERE id BETWEEN 2001 AND 2500; PREPARE TRANSACTION 'a'});
$node->safe_psql('postgres', q{BEGIN; INSERT INTO t SELECT * FROM src WHERE id BETWEEN 2501 AND 2600; PREPARE TRANSACTION 'b'});
is_complete($node, 't', 't_i', 'e <-> clustered(100000, 16)', 'prepared, not committed');
$node->restart;
$node->safe_psql('postgres', q{COMMIT PREPARED 'a'; ROLLBACK PREPARED 'b'});
check('prepared and committed');

# --- parallel workers see what waits ---

my $count = $node->safe_psql('postgres', q{
	BEGIN;
	INSERT INTO t SELECT * FROM src WHERE id BETWEEN 2501 AND 2800;
	SET LOCAL force_parallel_mode = on; SET LOCAL enable_seqscan = off;
	SELECT count(*) FROM (SELECT id FROM t ORDER BY e <-> '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]') s;
	EXPLAIN SELECT count(*) FROM (SELECT id FROM t ORDER BY e <-> '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]') s;
	COMMIT});
like($count, qr/^2800\n.*Gather.*\bt_i\b/s, 'a worker sees the rows that this transaction has inserted');

# --- cancelled at many places ---

foreach my $ms (5, 20, 40, 70, 110, 160, 230, 330)
{
	$node->psql('postgres', "SET statement_timeout = $ms; INSERT INTO t SELECT id + 100000, e FROM src WHERE id BETWEEN 3001 AND 5000", on_error_stop => 0);
}
$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 100000');
check('cancelled');
$node->safe_psql('postgres', 'VACUUM t');
check('cancelled, then VACUUM');
$node->psql('postgres', q{
	BEGIN; INSERT INTO t SELECT id + 100000, e FROM src WHERE id BETWEEN 3001 AND 5000;
	SAVEPOINT a; SET LOCAL enable_seqscan = off; SET LOCAL statement_timeout = 20;
	SELECT id FROM t ORDER BY e <-> clustered(7, 16) LIMIT 1;
	ROLLBACK TO a; COMMIT}, on_error_stop => 0);
$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 100000');
check('an error while rows are linked, caught');

# --- two writers, a reader and VACUUM ---

my ($out, $err) = ('', '');
my @psql = map {
	my $first = 3001 + 2000 * $_;
	start_psql($node, [ map { sprintf 'INSERT INTO t SELECT * FROM src WHERE id BETWEEN %d AND %d', $first + 400 * $_, $first + 400 * $_ + 399 } 0 .. 4 ], \$out, \$err)
} 0 .. 1;
foreach (1 .. 6)
{
	$node->safe_psql('postgres', "DELETE FROM t WHERE id % 40 = $_; VACUUM t; SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM t ORDER BY e <-> clustered($_, 16) LIMIT 100) s");
}
$_->finish for @psql;
is($err, '', 'two writers: no error');
check('two writers and VACUUM');
$node->wait_for_catchup($standby);
is_complete($standby, 't', 't_i', 'e <-> clustered(100000, 16)', 'on the standby');

# --- killed in the middle of linking ---

foreach my $round (1 .. 3)
{
	my $before = $node->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
	my $psql = start_psql($node, ['INSERT INTO t SELECT id + 20000, e FROM src WHERE id > 4000'], \$out, \$err);
	my $more = 3000000 + 2000000 * $round;
	wait_for($node, "SELECT pg_current_wal_lsn() - '$before'::pg_lsn > $more OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'INSERT INTO t%')");
	$node->stop('immediate');
	$psql->finish;
	$node->start;
	$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 20000');
	check("killed, round $round");
	$node->safe_psql('postgres', 'VACUUM t');
	check("killed, round $round, VACUUM");
}
done_testing();
