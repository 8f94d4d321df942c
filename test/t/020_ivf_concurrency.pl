# SPDX-License-Identifier: PostgreSQL
# ivf: inserts that split lists, updates, deletes, searches, VACUUM and REINDEX CONCURRENTLY for some seconds at once: no error, no crash, no
# search misses a row that stays or returns one twice, and afterwards the index is sound.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('ivf_concurrency', conf => [ 'max_connections = 50', 'deadlock_timeout = 1s' ]);
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE t (id int PRIMARY KEY, e vector(16));
	CREATE INDEX t_l2 ON t USING ivf (e vector_l2_ops);
	CREATE INDEX t_ip ON t USING ivfflat (e vector_ip_ops) WITH (lists = 4);
	-- rows that stay
	INSERT INTO t SELECT -i, clustered(i, 16) FROM generate_series(1, 300) i;
	-- from empty: all begin with the first row at once
	CREATE TABLE fresh (id serial, e vector(8));
	CREATE INDEX fresh_l2 ON fresh USING ivf (e vector_l2_ops) WITH (rerank = heap);
});
my $directory = PostgreSQL::Test::Utils::tempdir;
my $stay = 'SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) FILTER (WHERE id < 0) = 300)::int FROM (SELECT id FROM t ORDER BY';
my %script = (
	change => q{\set id random(1, 4000)
\set what random(1, 10)
\if :what <= 5
INSERT INTO t VALUES (:id, clustered(:id + 5000, 16)) ON CONFLICT (id) DO UPDATE SET e = clustered(:id + 9000, 16);
\elif :what <= 6
INSERT INTO t SELECT :id * 1000 + i, clustered(i, 16) FROM generate_series(1, 200) i ON CONFLICT DO NOTHING;
\elif :what <= 9
DELETE FROM t WHERE id BETWEEN :id AND :id + 3 OR id BETWEEN :id * 1000 AND :id * 1000 + 400000;
\else
BEGIN; INSERT INTO t SELECT 10000000 + :id + i, clustered(i, 16) FROM generate_series(1, 5) i ON CONFLICT DO NOTHING; ROLLBACK;
\endif
},
	fresh => q{\set id random(1, 100000)
INSERT INTO fresh (e) VALUES (clustered(:id, 8)), (clustered(:client_id, 8));
},
	search => qq{\\set id random(1, 20000)
SET enable_seqscan = off; SET vecdb.ivf_probes = 32768;
$stay e <-> clustered(:id, 16)) s;
$stay e <#> clustered(:id, 16)) s;
RESET vecdb.ivf_probes;
SELECT 1 / (count(*) = count(DISTINCT id) AND count(*) = 20)::int FROM (SELECT id FROM t ORDER BY e <-> clustered(:id, 16) LIMIT 20) s;
},
	vacuum => q{VACUUM t;
VACUUM fresh;
\sleep 100 ms
},
	reindex => q{\sleep 2000 ms
REINDEX INDEX CONCURRENTLY t_l2;
},
);
foreach (keys %script)
{
	append_to_file("$directory/$_", $script{$_});
}
# pgbench shares out the clients by weight at random, so one run for each kind
my @runs;
my %clients = (change => 4, fresh => 4, search => 2, vacuum => 1, reindex => 1);
foreach my $name (sort keys %clients)
{
	my $run = { name => $name, out => '', err => '' };
	$run->{handle} = IPC::Run::start([ 'pgbench', '-n', '-T', 12, '-c', $clients{$name}, '--random-seed=7', '-f', "$directory/$name", '-h', $node->host, '-p', $node->port, 'postgres' ],
		'<', '/dev/null', '>', \$run->{out}, '2>', \$run->{err});
	push @runs, $run;
}
foreach my $run (@runs)
{
	$run->{handle}->finish;
	my ($done) = $run->{out} =~ /number of transactions actually processed: (\d+)/;
	ok(defined $done && $done > 0 && $run->{err} !~ /ERROR|FATAL|aborted/, "$run->{name}: " . ($done // 'no') . ' transactions')
	  or diag($run->{err});
}
foreach my $round ('before VACUUM', 'after VACUUM')
{
	is_sound($node, $_, $round) for qw(t_l2 t_ip fresh_l2);
	is_complete($node, 't', 't_l2', 'e <-> clustered(3, 16)', $round);
	is_complete($node, 't', 't_ip', 'e <#> clustered(3, 16)', $round);
	is_complete($node, 'fresh', 'fresh_l2', 'e <-> clustered(3, 8)', $round);
	has_recall($node, 't_l2', 0.9, $round);
	$node->safe_psql('postgres', 'VACUUM t, fresh');
}
unlike(slurp_file($node->logfile), qr/deadlock|wrong order|could not/, 'no deadlock, no error');
no_crash($node, 'concurrency');
$node->stop;
done_testing();
