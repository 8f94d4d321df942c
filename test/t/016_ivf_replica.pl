# SPDX-License-Identifier: PostgreSQL
# ivf: a streaming replica replays every change of the index to the same bytes (wal_consistency_checking = all stops it otherwise) and
# answers as the primary does; searches on it go on while lists are split, emptied and their pages used again; it can be promoted.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = new_node('ivf_primary', init => [ allows_streaming => 1 ],
	conf => [ 'wal_consistency_checking = all', 'hot_standby_feedback = on', 'max_wal_size = 2GB', 'max_standby_streaming_delay = -1' ]);
$primary->start;
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('ivf_standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;
create_data_functions($primary);

my @indexes = (
	[ 't_l2', 'e <-> ' ], [ 't_ip', 'e <#> ' ], [ 't_cos', 'e <=> ' ], [ 't_l1', 'e <+> ' ], [ 'f_cos', 'f <=> ' ], [ 'f_pq', 'f <-> ' ]);

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
	CREATE INDEX t_l2 ON t USING ivf (e vector_l2_ops);
	CREATE INDEX t_ip ON t USING ivf (e vector_ip_ops) WITH (rerank = heap);
	CREATE INDEX t_cos ON t USING ivfflat (e vector_cosine_ops) WITH (lists = 10);
	CREATE INDEX t_l1 ON t USING ivf (e vector_l1_ops);
	CREATE INDEX f_cos ON t USING ivf (f vector_cosine_ops) WITH (quantizer = half);
	CREATE INDEX f_pq ON t USING ivf (f vector_l2_ops) WITH (quantizer = pq);
	CREATE UNLOGGED TABLE u AS SELECT * FROM t LIMIT 10;
	CREATE INDEX ON u USING ivf (e vector_l2_ops);
});
same_answers('built');
$primary->safe_psql('postgres', q{INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(1501, 4200) i});
$primary->safe_psql('postgres', q{INSERT INTO t SELECT i, clustered(i % 3, 24) FROM generate_series(5001, 6400) i});
same_answers('inserted');
$primary->safe_psql('postgres', q{DELETE FROM t WHERE id % 3 = 0});
same_answers('deleted');
$primary->safe_psql('postgres', q{VACUUM t});
same_answers('vacuumed');
$primary->safe_psql('postgres', q{
	INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(7001, 7600) i;
	UPDATE t SET e = clustered(id + 7, 24) WHERE id % 7 = 0;});
same_answers('lanes used again');
$primary->safe_psql('postgres', q{REINDEX INDEX CONCURRENTLY t_cos; VACUUM t; VACUUM FULL t;});
same_answers('rebuilt');
# the index goes on growing from empty
$primary->safe_psql('postgres', q{TRUNCATE t; INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(1, 2500) i;});
same_answers('truncated and filled');

# restart the replica in the middle
$standby->restart;
$primary->safe_psql('postgres', q{DELETE FROM t WHERE id < 500; VACUUM t;});
same_answers('after a restart of the replica');

# --- searches on the replica while the primary makes, empties and frees lists ---

# rows that stay: each search must find them all, each once
$primary->safe_psql('postgres', q{
	TRUNCATE t; DROP INDEX t_cos, f_cos, t_l1, f_pq;
	INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(1, 500) i;
	SELECT txid_current();});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
my $directory = PostgreSQL::Test::Utils::tempdir;
append_to_file("$directory/search", q{\set id random(1, 20000)
SET enable_seqscan = off; SET vecdb.ivf_probes = 32768;
SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) FILTER (WHERE id <= 500) = 500)::int FROM (SELECT id FROM t ORDER BY e <-> clustered(:id, 24)) s;
SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) FILTER (WHERE id <= 500) = 500)::int FROM (SELECT id FROM t ORDER BY e <#> clustered(:id, 24)) s;
});
my ($out, $err) = ('', '');
my $bench = IPC::Run::start([ 'pgbench', '-n', '-T', 15, '-c', 2, '--random-seed=7', '-f', "$directory/search", '-h', $standby->host, '-p', $standby->port, 'postgres' ],
	'<', '/dev/null', '>', \$out, '2>', \$err);
my $until = time + 14;
my $rounds = 0;
while (time < $until)
{
	my $first = 1000 + 5000 * ++$rounds;
	$primary->safe_psql('postgres', $_) foreach (
		"INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series($first, $first + 2000) i",
		'VACUUM t', 'DELETE FROM t WHERE id > 500 AND h(id, 0) % 50 < 40', 'VACUUM t', 'DELETE FROM t WHERE id > 500', 'VACUUM t',
		'SELECT txid_current()', 'VACUUM t');
}
$bench->finish;
my ($done) = $out =~ /number of transactions actually processed: (\d+)/;
ok(defined $done && $done > 0 && $err !~ /ERROR|FATAL|aborted/, "$rounds rounds on the primary beside " . ($done // 'no') . ' searches on the replica')
  or diag($err);
@indexes = @indexes[ 0, 1 ];
same_answers('after that');
unlike(slurp_file($standby->logfile), qr/inconsistent page found|PANIC|terminated by signal/, 'the replica found no different page');

$primary->stop;
$standby->promote;
is_sound($standby, $_->[0], 'promoted') for @indexes;
$standby->safe_psql('postgres', q{
	INSERT INTO t SELECT i, clustered(i, 24) FROM generate_series(100001, 101800) i;
	DELETE FROM t WHERE id % 5 = 0;
	VACUUM t;
	INSERT INTO u SELECT i, clustered(i, 24) FROM generate_series(1, 100) i;});
is_sound($standby, $_->[0], 'promoted and changed') for @indexes;
is_sound($standby, 'u_e_idx', 'unlogged, on the promoted replica');
is_complete($standby, 't', $_->[0], "$_->[1] clustered(3, 24)", 'promoted and changed') for @indexes;
has_recall($standby, 't_l2', 0.9, 'promoted and changed');
no_crash($standby, 'replica');
$standby->stop;
done_testing();
