# SPDX-License-Identifier: PostgreSQL
# Lists of an ivf index grow and split as rows arrive: ten times the rows it was built with, from where none were, without REINDEX;
# splits that are cancelled, killed, prepared, run by two writers and beside VACUUM; WAL and pages that they take.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('ivf_growth', init => [ allows_streaming => 1 ],
	conf => [ 'max_prepared_transactions = 4', 'restart_after_crash = on', 'checkpoint_timeout = 1h', 'full_page_writes = off' ]);
$node->start;
create_data_functions($node);
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('ivf_growth_standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;

# blob(seed, of): a row near one of 400 centres; the n-th centre lies around (n / 40, n / 40, ...), so that higher numbers are elsewhere
$node->safe_psql('postgres', q{
	CREATE FUNCTION blob(seed int, of int) RETURNS vector LANGUAGE sql IMMUTABLE AS
		$$ SELECT array_agg((of / 40) * 20 + public.h(-1 - of, d) % 100 + public.h(seed, d) % 41 - 20)::public.vector FROM generate_series(1, 24) d $$;
	CREATE TABLE t (id int, e vector(24));
	INSERT INTO t SELECT i, blob(i, h(i, 100) % 40) FROM generate_series(1, 2500) i;
	CREATE INDEX t_i ON t USING ivf (e vector_l2_ops)});

sub check
{
	my ($what, $where) = @_;
	is_sound($where || $node, 't_i', $what);
	is_complete($where || $node, 't', 't_i', 'e <-> blob(100000, 200)', $what);
	return;
}

# of 300 rows of the table; with the same settings, that is as many lists as the index wants
sub recall { return $node->safe_psql('postgres', "SELECT recall FROM vecdb.check_recall('$_[0]', 300, 10)"); }
sub lists { return $node->safe_psql('postgres', "SELECT lists FROM vecdb.index_info('$_[0]')"); }

# --- ten times the rows, from elsewhere ---

cmp_ok(lists('t_i'), '<=', 12, 'a small index');
my $lsn = $node->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
$node->safe_psql('postgres', 'INSERT INTO t SELECT i, blob(i, 40 + h(i, 100) % 360) FROM generate_series(2501, 27500) i');
my $with = $node->safe_psql('postgres', "SELECT pg_current_wal_lsn() - '$lsn'::pg_lsn");
check('ten times the rows');
cmp_ok(lists('t_i'), '>=', 80, 'it has grown lists: ' . lists('t_i'));
$node->safe_psql('postgres', 'CREATE TABLE bare (id int, e vector(24))');
$lsn = $node->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
$node->safe_psql('postgres', 'INSERT INTO bare SELECT * FROM t WHERE id > 2500');
my $bare = $node->safe_psql('postgres', "SELECT pg_current_wal_lsn() - '$lsn'::pg_lsn");
# Short rows: of 24 dimensions a code and its slot are as much as the row itself. At 128 dimensions it is 1.2.
cmp_ok($with, '<=', 3.5 * $bare, sprintf 'WAL of the index and its splits: %.2f of that of the table', $with / $bare - 1);
my $grown = recall('t_i');
$node->safe_psql('postgres', 'VACUUM t');
my $tidied = recall('t_i');
check('ten times the rows, VACUUM');
$node->safe_psql('postgres', 'CREATE INDEX t_fresh ON t USING ivf (e vector_l2_ops)');
my $fresh = recall('t_fresh');
cmp_ok($grown, '>=', $fresh - 0.03, "recall as loaded: $grown, of a fresh index: $fresh");
cmp_ok($tidied, '>=', $fresh - 0.02, "recall after VACUUM: $tidied, of a fresh index: $fresh");
$node->safe_psql('postgres', 'DROP INDEX t_fresh');
# What the splits have left behind is used again.
$node->safe_psql('postgres', 'VACUUM t');
my $size = $node->safe_psql('postgres', q{SELECT pg_relation_size('t_i')});
$node->safe_psql('postgres', 'INSERT INTO t SELECT i, blob(i, 40 + h(i, 100) % 360) FROM generate_series(27501, 33000) i');
is($node->safe_psql('postgres', q{SELECT pg_relation_size('t_i')}), $size, 'pages of gone lists are used again');
check('more rows');
$node->wait_for_catchup($standby);
is_complete($standby, 't', 't_i', 'e <-> blob(100000, 200)', 'on the standby');

# --- from nothing, all rows to one side of zero: the directory's codes are alike there, and lists must be told apart all the same ---

for my $dims (3, 100)
{
	my $row = "(SELECT array_agg(0.5 * $dims / 10 + h(i, d) % 10000 / 10000.0) FROM generate_series(1, $dims) d)";
	$row = "(SELECT array_agg(h(i, d) % 10000 / 10000.0) FROM generate_series(1, 3) d)" if $dims == 3;
	$node->safe_psql('postgres', qq{
		CREATE TABLE side (id int, e vector($dims));
		CREATE INDEX side_i ON side USING ivfflat (e vector_cosine_ops);
		INSERT INTO side SELECT i, $row FROM generate_series(1, 20000) i});
	my $recall = sub { $node->safe_psql('postgres', "SET vecdb.ivf_probes = $_[0]; SELECT recall FROM vecdb.check_recall('side_i', 200, 20)") };
	my @grown = map { $recall->($_) } 1, 4, 16;
	$node->safe_psql('postgres', 'REINDEX INDEX side_i');
	my @built = map { $recall->($_) } 1, 4, 16;
	cmp_ok($grown[$_], '>=', $built[$_] - 0.1, "$dims dimensions, recall as loaded: $grown[$_], of a built index: $built[$_]") for 0 .. 2;
	$node->safe_psql('postgres', 'DROP TABLE side');
}

# --- moved away: rows of one place are deleted and come again elsewhere ---

$node->safe_psql('postgres', 'DELETE FROM t WHERE id > 3000; VACUUM t; VACUUM t');
check('most are gone');
cmp_ok(lists('t_i'), '<=', 40, 'their lists have merged: ' . lists('t_i'));
$node->safe_psql('postgres', 'INSERT INTO t SELECT i, blob(i, h(i, 100) % 400) FROM generate_series(3001, 10000) i; VACUUM t');
check('and others come');

# --- prepared, cancelled ---

$node->safe_psql('postgres', q{BEGIN; INSERT INTO t SELECT i, blob(i, 50 + i % 5) FROM generate_series(20001, 21000) i; PREPARE TRANSACTION 'a'});
$node->safe_psql('postgres', q{BEGIN; INSERT INTO t SELECT i, blob(i, 50 + i % 5) FROM generate_series(21001, 22000) i; PREPARE TRANSACTION 'b'});
is_complete($node, 't', 't_i', 'e <-> blob(100000, 200)', 'prepared, not committed');
$node->restart;
$node->safe_psql('postgres', q{COMMIT PREPARED 'a'; ROLLBACK PREPARED 'b'});
check('prepared and committed');
foreach my $ms (15, 25, 40, 60, 85, 115, 150, 190)
{
	# Some are done in time: each has ids of its own.
	my $first = 1000000 + 10000 * $ms;
	$node->psql('postgres', "SET statement_timeout = $ms; INSERT INTO t SELECT i, blob(i, 60 + i % 3) FROM generate_series($first, $first + 3999) i", on_error_stop => 0);
}
check('cancelled');
$node->safe_psql('postgres', 'VACUUM t');
check('cancelled, then VACUUM');

# --- an error in the middle is caught ---

$node->safe_psql('postgres', q{
	DO $$ BEGIN
		FOR i IN 1 .. 60 LOOP
			BEGIN
				INSERT INTO t SELECT 40000 + i * 100 + j, blob(i * 100 + j, 70) FROM generate_series(1, 50) j;
				IF i % 3 = 0 THEN RAISE EXCEPTION 'no'; END IF;
			EXCEPTION WHEN raise_exception THEN NULL;
			END;
		END LOOP;
	END $$});
check('subtransactions');

# --- three writers, a reader and VACUUM ---

my ($out, $err) = ('', '');
my @psql = map {
	my $first = 50001 + 3000 * $_;
	start_psql($node, [ map { sprintf 'INSERT INTO t SELECT i, blob(i, 80 + h(i, 100) %% 4) FROM generate_series(%d, %d) i', $first + 300 * $_, $first + 300 * $_ + 299 } 0 .. 9 ], \$out, \$err)
} 0 .. 2;
foreach (1 .. 5)
{
	$node->safe_psql('postgres', "DELETE FROM t WHERE id % 40 = $_; VACUUM t; SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM t ORDER BY e <-> blob($_, 80) LIMIT 500) s");
}
$_->finish for @psql;
is($err, '', 'three writers: no error');
check('three writers and VACUUM');
$node->wait_for_catchup($standby);
is_complete($standby, 't', 't_i', 'e <-> blob(100000, 200)', 'on the standby');

# --- killed in the middle ---

foreach my $round (1 .. 3)
{
	my $before = $node->safe_psql('postgres', 'SELECT pg_current_wal_lsn()');
	my $first = 10000000 * $round;
	my $psql = start_psql($node, ["INSERT INTO t SELECT i, blob(i, 90 + $round) FROM generate_series($first, $first + 59999) i"], \$out, \$err);
	my $more = 1000000 + 700000 * $round;
	wait_for($node, "SELECT pg_current_wal_lsn() - '$before'::pg_lsn > $more OR NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'INSERT INTO t%')");
	$node->stop('immediate');
	$psql->finish;
	$node->start;
	check("killed, round $round");
	$node->safe_psql('postgres', 'VACUUM t');
	check("killed, round $round, VACUUM");
	$node->safe_psql('postgres', "INSERT INTO t SELECT i, blob(i, 90 + $round) FROM generate_series(200000 + $round * 1000, 200500 + $round * 1000) i");
	check("killed, round $round, and on");
}
done_testing();
