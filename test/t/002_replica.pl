# SPDX-License-Identifier: PostgreSQL
# A streaming replica replays every change of the index to the same bytes (wal_consistency_checking = all stops it
# otherwise), answers the same queries through the index, and can be promoted.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('primary', init => [ allows_streaming => 1 ],
	conf => [ 'wal_consistency_checking = all', 'hot_standby_feedback = on', 'max_wal_size = 2GB' ]);
$primary->start;
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
create_data_functions($primary);

my @indexes = (
	[ 't_l2', 'e <-> ' ], [ 't_ip', 'e <#> ' ], [ 't_cos', 'e <=> ' ], [ 't_l1', 'e <+> ' ], [ 'f_cos', 'f <=> ' ]);

# The answers to 20 queries through each index, all in one text.
sub answers
{
	my ($node) = @_;
	my $all = '';
	foreach (@indexes)
	{
		my ($name, $order) = @$_;
		my $got = $node->safe_psql('postgres', join ';', 'SET enable_seqscan = off',
			map { "SELECT string_agg(id::text, ' ') FROM (SELECT id FROM t ORDER BY $order clustered(500000 + $_, 24) LIMIT 60) s" } 1 .. 20);
		my $plan = $node->safe_psql('postgres', "SET enable_seqscan = off; EXPLAIN SELECT id FROM t ORDER BY $order clustered(1, 24) LIMIT 60");
		$all .= "$name " . ($plan =~ /\b$name\b/ ? 'used' : 'NOT USED') . "\n$got\n";
	}
	return $all;
}

sub same_answers
{
	my ($what) = @_;
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	my ($a, $b) = (answers($primary), answers($standby));
	is($b, $a, "$what: the replica gives the same answers");
	unlike($a, qr/NOT USED/, "$what: by the indexes");
	return;
}

$primary->safe_psql('postgres', q{
	CREATE TABLE t (id int PRIMARY KEY, e vector(24), f vector(24) GENERATED ALWAYS AS (e + e) STORED);
	INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(1, 1500) i;
	CREATE INDEX t_l2 ON t USING hnsw (e vector_l2_ops);
	CREATE INDEX t_ip ON t USING hnsw (e vector_ip_ops) WITH (precision = 8);
	CREATE INDEX t_cos ON t USING hnsw (e vector_cosine_ops);
	CREATE INDEX t_l1 ON t USING hnsw (e vector_l1_ops) WITH (m = 6, ef_construction = 24);
	CREATE INDEX f_cos ON t USING hnsw (f vector_cosine_ops) WITH (layout = fused);
	CREATE UNLOGGED TABLE u AS SELECT * FROM t LIMIT 10;
	CREATE INDEX ON u USING hnsw (e vector_l2_ops);
});
same_answers('built');
$primary->safe_psql('postgres', q{INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(1501, 2200) i});
# equal rows, as they make chains of their own
$primary->safe_psql('postgres', q{INSERT INTO t SELECT i, clustered(i % 3, 24) FROM generate_series(3001, 3400) i});
same_answers('inserted');
$primary->safe_psql('postgres', q{DELETE FROM t WHERE id % 3 = 0});
same_answers('deleted');
$primary->safe_psql('postgres', q{VACUUM t});
same_answers('vacuumed');
$primary->safe_psql('postgres', q{
	INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(4001, 4600) i;
	UPDATE t SET e = clustered(id + 7, 24) WHERE id % 7 = 0;});
same_answers('slots used again');
$primary->safe_psql('postgres', q{REINDEX INDEX CONCURRENTLY t_cos; VACUUM t; VACUUM FULL t;});
same_answers('rebuilt');
# the index goes on growing from empty
$primary->safe_psql('postgres', q{TRUNCATE t; INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(1, 700) i;});
same_answers('truncated and filled');

# restart the replica in the middle
$standby->restart;
$primary->safe_psql('postgres', q{DELETE FROM t WHERE id < 100; VACUUM t;});
same_answers('after a restart of the replica');
unlike(slurp_file($standby->logfile), qr/inconsistent page found|PANIC|terminated by signal/, 'the replica found no different page');

$primary->stop;
$standby->promote;
is_sound($standby, $_->[0], 'promoted') for @indexes;
$standby->safe_psql('postgres', q{
	INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(10001, 10800) i;
	DELETE FROM t WHERE id % 5 = 0; VACUUM t;
	INSERT INTO u SELECT i, clustered(i, 24) FROM generate_series(1, 100) i;});
is_sound($standby, $_->[0], 'promoted and changed') for @indexes;
is_sound($standby, 'u_e_idx', 'unlogged, on the promoted replica');
is_complete($standby, 't', $_->[0], "$_->[1] clustered(3, 24)", 'promoted and changed') for @indexes;
has_recall($standby, 't_l2', 0.95, 'promoted and changed');
no_crash($standby, 'replica');
$standby->stop;
done_testing();
