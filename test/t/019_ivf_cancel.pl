# SPDX-License-Identifier: PostgreSQL
# ivf: a build that is cancelled, timed out, terminated or has no memory leaves no file and no valid index, and the session goes on; inserts
# that split lists, searches and VACUUM can be cancelled anywhere.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('ivf_cancel', conf => ['maintenance_work_mem = 64MB']);
$node->start;
create_data_functions($node);
$node->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT i AS id, clustered(i, 96)::vector(96) AS e FROM generate_series(1, 2000) i;
	INSERT INTO t SELECT id + 2000 * n, e + plain(n, 96)::vector(96) FROM t, generate_series(1, 29) n;
	CHECKPOINT});
my $directory = $node->data_dir . '/base/' . $node->safe_psql('postgres', q{SELECT oid FROM pg_database WHERE datname = 'postgres'});
my $create = 'CREATE INDEX t_i ON t USING ivf (e vector_l2_ops) WITH (lists = 1500)';
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
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', "$what: no temporary files");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass}), '0', "$what: no index is left");
	return;
}

# --- a build ---

my $cut = 0;
foreach my $options ('', ', quantizer = pq')
{
	(my $statement = $create) =~ s/\)$/$options)/;
	foreach my $ms (10, 60, 150, 300, 500)
	{
		my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = $ms;\n$statement;\nRESET statement_timeout;\nSELECT 'goes on', count(*) FROM t;\nDROP INDEX IF EXISTS t_i;",
			on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
		$cut++ if $err =~ /ERROR:  57014/;
		is($out, 'goes on|60000', "timeout after $ms ms: the session goes on");
		after("timeout after $ms ms");
	}
}
cmp_ok($cut, '>=', 4, "the build was timed out $cut times");

my ($out, $err) = ('', '');
foreach my $how (qw(cancel terminate))
{
	# so many lists that there is time to meet it
	my $psql = start_psql($node, [ 'CREATE INDEX t_i ON t USING ivf (e vector_l2_ops) WITH (lists = 20000)', q{SELECT 'goes on'} ], \$out, \$err);
	wait_for($node, q{SELECT true FROM pg_stat_progress_create_index WHERE phase ~ 'k-means|assigning'});
	$node->safe_psql('postgres', "SELECT pg_${how}_backend(pid) FROM pg_stat_progress_create_index");
	$psql->finish;
	like($err, $how eq 'cancel' ? qr/canceling statement/ : qr/terminating connection/, "$how");
	is($out, "goes on\n", "$how: the session goes on") if $how eq 'cancel';
	wait_for($node, 'SELECT count(*) = 0 FROM pg_stat_progress_create_index');
	after($how);
}
# REINDEX: the old index stays
$node->safe_psql('postgres', 'CREATE INDEX t_i ON t USING ivf (e vector_l2_ops)');
$node->psql('postgres', q{SET statement_timeout = 60; REINDEX INDEX t_i}, on_error_stop => 0);
is(files(), '', 'REINDEX: no files are left');
is_sound($node, 't_i', 'REINDEX cancelled');
is($node->safe_psql('postgres', 'DROP INDEX t_i; SELECT 1'), '1', 'DROP INDEX');

# --- concurrently: an invalid index, as for any access method, and it can be dropped ---

$node->psql('postgres', "SET statement_timeout = 100; $concurrently", on_error_stop => 0);
is($node->safe_psql('postgres', q{SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass}), 'f', 'CONCURRENTLY: the index is not valid');
$node->safe_psql('postgres', q{INSERT INTO t SELECT 100000 + i, clustered(i, 96) FROM generate_series(1, 20) i; DELETE FROM t WHERE id > 100000});
$node->safe_psql('postgres', 'VACUUM t');
$node->safe_psql('postgres', 'DROP INDEX t_i');
after('CONCURRENTLY, then DROP INDEX');

# --- inserts that split lists, a search, a vacuum ---

$node->safe_psql('postgres', q{
	CREATE TABLE s (id int, e vector(96)); CREATE INDEX s_i ON s USING ivf (e vector_l2_ops);
	CREATE INDEX s_flat ON s USING ivfflat (e vector_cosine_ops) WITH (lists = 3)});
my $cancelled = 0;
foreach my $round (1 .. 15)
{
	my $ms = 5 + 12 * $round;
	my (undef, undef, $error) = $node->psql('postgres', "SET statement_timeout = $ms; INSERT INTO s SELECT id, e FROM t WHERE id % 20 = $round", extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	$cancelled++ if $error =~ /57014/;
	if ($round % 5 == 0)
	{
		is_sound($node, $_, "inserts cancelled, round $round") for qw(s_i s_flat);
	}
}
cmp_ok($cancelled, '>=', 3, "inserts were cancelled $cancelled times of 15");
is_complete($node, 's', 's_i', 'e <-> clustered(5, 96)', 'inserts cancelled');
is_complete($node, 's', 's_flat', 'e <=> clustered(5, 96)', 'inserts cancelled');
$node->safe_psql('postgres', 'CREATE INDEX t_i ON t USING ivf (e vector_l2_ops)');
my ($code, $text, $error) = $node->psql('postgres', q{SET enable_seqscan = off; SET statement_timeout = 30;
	SELECT count(*) FROM generate_series(1, 10000) s, LATERAL (SELECT id FROM t ORDER BY e <-> clustered(s, 96)) x}, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($error, qr/57014/, 'a search is cancelled');
$node->safe_psql('postgres', 'DELETE FROM t WHERE id % 2 = 0');
foreach my $ms (20, 50, 100, 200)
{
	($code, $text, $error) = $node->psql('postgres', "SET statement_timeout = $ms; SET vacuum_cost_delay = 1; SET vacuum_cost_limit = 100; VACUUM t", on_error_stop => 0);
	is_sound($node, 't_i', "VACUUM timed out after $ms ms");
}
$node->safe_psql('postgres', 'VACUUM t, s');
is_sound($node, $_, 'VACUUM cancelled and run again') for qw(t_i s_i s_flat);
is_complete($node, 't', 't_i', 'e <-> clustered(5, 96)', 'VACUUM cancelled and run again');
$node->safe_psql('postgres', 'DROP INDEX t_i');

# --- memory ---

($code, $text, $error) = $node->psql('postgres', q{SET maintenance_work_mem = '1MB'; CREATE INDEX t_low ON t USING ivf (e vector_l2_ops)});
is("$code$error", '0', 'a build in 1 MB succeeds, without a notice');
is_sound($node, 't_low', 'built in 1 MB');
is_complete($node, 't', 't_low', 'e <-> clustered(7, 96)', 'built in 1 MB');
has_recall($node, 't_low', 0.85, 'built in 1 MB', 50);
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', 'no temporary file is left');
$node->safe_psql('postgres', 'DROP INDEX t_low');

SKIP:
{
	skip 'no prlimit or /proc', 1 if system('prlimit --version >/dev/null 2>&1') != 0 || !-d '/proc/self';
	my %seen;
	foreach my $extra (1, 4, 8, 12, 16, 24, 32, 48, 64, 128)
	{
		# the backend may grow by $extra MB
		($code, $out, $err) = $node->psql('postgres', qq{
\\set VERBOSITY sqlstate
SELECT vector_dims(e) FROM t LIMIT 1;
SELECT pg_backend_pid() AS pid \\gset
\\setenv PID :pid
\\! prlimit --pid \$PID --as=\$(awk '/VmSize/ { print \$2 * 1024 + $extra * 1048576 }' /proc/\$PID/status):unlimited
CREATE INDEX t_m ON t USING ivf (e vector_l2_ops);
\\echo :ERROR :SQLSTATE
\\! prlimit --pid \$PID --as=unlimited:unlimited
SELECT count(*) FROM t;
DROP INDEX IF EXISTS t_m;
CREATE INDEX t_m ON t USING ivf (e vector_l2_ops) WITH (lists = 20);
SELECT count(*) FROM vecdb.check_index('t_m', false);
DROP INDEX t_m;
}, on_error_stop => 0);
		my @lines = split /\n/, $out;
		is($code, 0, "$extra MB: the session lives");
		like($lines[1], qr/^(true 53200|false 00000)$/, "$extra MB: the build succeeds or has no memory: $lines[1] $err");
		is("@lines[2 .. $#lines]", '30000 0', "$extra MB: the session goes on and builds the index with memory");
		$seen{ $lines[1] }++;
	}
	cmp_ok($seen{'true 53200'} // 0, '>=', 2, 'memory ran out at several points');
	cmp_ok($seen{'false 00000'} // 0, '>=', 1, 'and was enough at the end');
}
no_crash($node, 'cancel');
$node->stop;
done_testing();
