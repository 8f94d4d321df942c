# SPDX-License-Identifier: PostgreSQL
# Little memory: past maintenance_work_mem a build goes on in a temporary file, which temp_file_limit bounds; without any
# memory left it fails with 53200, and the session goes on.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('memory');
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{CREATE TABLE t AS SELECT i AS id, clustered(i, 100)::vector(100) AS e FROM generate_series(1, 4000) i});

my ($code, $out, $err) = $node->psql('postgres', q{SET maintenance_work_mem = '1MB'; CREATE INDEX t_low ON t USING hnsw (e vector_l2_ops)});
is($code, 0, 'a build in 1 MB succeeds');
is($err, '', 'without a notice');
is_sound($node, 't_low', 'built in 1 MB');
is_complete($node, 't', 't_low', 'e <-> clustered(7, 100)', 'built in 1 MB');
has_recall($node, 't_low', 0.95, 'built in 1 MB', 100);
is($node->safe_psql('postgres', q{SELECT temp_files > 0 AND temp_bytes > 0 FROM pg_stat_database WHERE datname = 'postgres'}), 't', 'in a temporary file');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', 'which is gone');
my $low_size = $node->safe_psql('postgres', q{SELECT pg_relation_size('t_low')});
$node->safe_psql('postgres', 'DROP INDEX t_low');
($code, $out, $err) = $node->psql('postgres', q{SET maintenance_work_mem = '64MB'; CREATE INDEX t_high ON t USING hnsw (e vector_l2_ops)});
is($err, '', 'nor in 64 MB');
is($node->safe_psql('postgres', q{SELECT pg_relation_size('t_high')}), $low_size, 'the same index');
$node->safe_psql('postgres', 'DROP INDEX t_high');
($code, $out, $err) = $node->psql('postgres', q{SET maintenance_work_mem = '1MB'; SET temp_file_limit = '256kB'; CREATE INDEX t_low ON t USING hnsw (e vector_l2_ops)},
	extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($err, qr/ERROR:  53400/, 'temp_file_limit holds');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', 'nothing is left');

SKIP:
{
	skip 'no prlimit or /proc', 1 if system('prlimit --version >/dev/null 2>&1') != 0 || !-d '/proc/self';
	$node->safe_psql('postgres', q{CREATE TABLE big AS SELECT i AS id, (array_fill(1::real, ARRAY[2000]))::vector(2000) + plain(i, 2000)::vector(2000) AS e
		FROM generate_series(1, 300) i; INSERT INTO big SELECT 1000 + i, e * ('[' || rtrim(repeat('2,', 2000), ',') || ']')::vector FROM (SELECT id AS i, e FROM big) s});
	my %seen;
	foreach my $extra (1, 8, 16, 24, 32, 48, 56, 64, 72, 96, 160)
	{
		# the backend may grow by $extra MB
		($code, $out, $err) = $node->psql('postgres', qq{
\\set VERBOSITY sqlstate
SELECT vector_dims(e) FROM big LIMIT 1;
SET maintenance_work_mem = '256MB';
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
\\! prlimit --pid \$PID --as=\$(awk '/VmSize/ { print \$2 * 1024 + $extra * 1048576 }' /proc/\$PID/status):unlimited
CREATE INDEX big_i ON big USING hnsw ((e::vector(2000)) vector_l2_ops);
\\echo :ERROR :SQLSTATE
\\! prlimit --pid \$PID --as=unlimited:unlimited
SELECT count(*) FROM big;
DROP INDEX IF EXISTS big_i;
CREATE INDEX big_i ON big USING hnsw ((e::vector(2000)) vector_l2_ops);
SELECT count(*) FROM vecdb.check_index('big_i');
DROP INDEX big_i;
}, on_error_stop => 0);
		my @lines = split /\n/, $out;
		is($code, 0, "$extra MB: the session lives");
		like($lines[1], qr/^(true 53200|false 00000)$/, "$extra MB: the build succeeds or has no memory: $lines[1] $err");
		is("@lines[2 .. $#lines]", '600 0', "$extra MB: the session goes on and builds the index with memory");
		$seen{ $lines[1] }++;
	}
	cmp_ok($seen{'true 53200'} // 0, '>=', 3, 'memory ran out at several points');
	cmp_ok($seen{'false 00000'} // 0, '>=', 1, 'and was enough at the end');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname = 'big_i'}), '0', 'nothing is left');
}
no_crash($node, 'memory');
$node->stop;
done_testing();
