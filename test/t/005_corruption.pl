# SPDX-License-Identifier: PostgreSQL
# Bytes of index pages are flipped at seeded places while the server is down. Afterwards each statement either answers
# right or fails with index_corrupted (XX002) or PostgreSQL's own data_corrupted (XX001). The server never crashes.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('corruption');
$node->start;
create_data_functions($node);

# One table, copied with its index for each trial: which kind of page is hit, and how many bytes.
my %kind_number = (meta => 1, node => 2, detail => 3, mean => 4);
my @trials;
foreach my $kind (qw(meta node node node detail mean))
{
	push @trials, { kind => $kind, bytes => $_ } foreach (1, 1, 1, 4, 64, 2000);
}
push @trials, { kind => 'header', bytes => $_ } foreach (1, 2, 8, 24);
push @trials, { kind => 'lane', bytes => 1 };
# codes that go on in detail pages
foreach my $kind (qw(node detail))
{
	push @trials, { kind => $kind, bytes => $_, wide => 1 } foreach (1, 1, 4, 4, 64, 2000);
}
push @trials, { kind => $_, bytes => 8192, wide => 1 } foreach (qw(zero swap swap));
# sparse vectors, of which each tenth goes on in a chain of links on detail pages; bit strings
foreach my $kind (qw(node detail detail))
{
	push @trials, { kind => $kind, bytes => $_, data => 'sparse' } foreach (1, 1, 4, 4, 64, 2000);
}
push @trials, { kind => $_, bytes => 8192, data => 'sparse' } foreach (qw(zero swap swap));
push @trials, { kind => 'detail', bytes => 8192, data => 'sparse', how => $_ } foreach (qw(zero swap next));
push @trials, { kind => 'node', bytes => $_, data => 'bits' } foreach (1, 4, 64, 2000);
push @trials, { kind => 'zero', bytes => 8192, data => 'bits' };
push @trials, { kind => 'zero', bytes => 8192 }, { kind => 'swap', bytes => 8192 }, { kind => 'short', bytes => 0 };

$node->safe_psql('postgres', q{
	CREATE TABLE base AS SELECT i AS id, clustered(i, 20)::vector(20) AS e FROM generate_series(1, 600) i;
	INSERT INTO base SELECT i, clustered(1, 20) FROM generate_series(601, 700) i;
	CREATE TABLE wide_base AS SELECT i AS id, wide(i, 16000)::vector(16000) AS e FROM generate_series(1, 60) i;
	INSERT INTO wide_base SELECT i, wide(1, 16000) FROM generate_series(61, 70) i;
	CREATE FUNCTION sparse(i int) RETURNS sparsevec LANGUAGE sql IMMUTABLE AS $$
		SELECT ('{' || string_agg(k || ':' || 1 + w % 9, ',' ORDER BY k) || '}/3000')::sparsevec FROM (
			SELECT 1 + (h & 2147483647) % 3000 AS k, max(h & 255) AS w
			FROM generate_series(1, CASE WHEN i % 10 = 1 THEN 1400 ELSE 30 + i % 50 END) d,
				LATERAL (VALUES (hashint4(d)), (hashint4(i % 7 * 4096 + d)), (hashint4(i * 4096 + d))) t(h) GROUP BY k) s $$;
	CREATE FUNCTION bits(i int) RETURNS bit(1024) LANGUAGE sql IMMUTABLE AS $$
		SELECT string_agg((CASE WHEN d % 4 = 0 THEN hashint4(i * 4096 + d) ELSE hashint4(i % 7 * 4096 + d) END)::bit(32)::text, '')::bit(1024)
		FROM generate_series(1, 32) d $$;
	CREATE TABLE sparse_base AS SELECT i AS id, sparse(i)::sparsevec(3000) AS e FROM generate_series(1, 300) i;
	INSERT INTO sparse_base SELECT i, sparse(1) FROM generate_series(301, 330) i;
	CREATE TABLE bits_base AS SELECT i AS id, bits(i)::bit(1024) AS e FROM generate_series(1, 600) i;
	INSERT INTO bits_base SELECT i, bits(1) FROM generate_series(601, 700) i;
	-- text of the SQLSTATE, or of the answer
	CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE answer text;
		BEGIN EXECUTE statement INTO answer; RETURN answer; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
});
# of each kind of data: values, distance, operator class, rows that are inserted, rows that are left
my %kinds = (
	plain => [ 'clustered(s, 20)', '<->', 'vector_l2_ops', 50, 467, 'base' ],
	wide => [ '(SELECT wide(s, 16000))', '<->', 'vector_l2_ops', 10, 47, 'wide_base' ],
	sparse => [ '(SELECT sparse(s))', '<->', 'sparsevec_l2_ops', 30, 220, 'sparse_base' ],
	bits => [ '(SELECT bits(s))', '<~>', 'bit_hamming_ops', 50, 467, 'bits_base' ]);
$_->{data} //= $_->{wide} ? 'wide' : 'plain' foreach @trials;
$node->safe_psql('postgres', join ';', map {
	my $precision = $_ % 2 || $trials[$_]{kind} eq 'detail' ? 16 : 8;
	my (undef, undef, $class, undef, undef, $base) = @{ $kinds{ $trials[$_]{data} } };
	my $layout = $_ % 3 == 0 || $trials[$_]{kind} eq 'lane' ? 'fused' : 'compact';
	$layout = $trials[$_]{data} =~ /sparse|bits/ ? '' : " WITH (precision = $precision, layout = $layout)";
	"CREATE TABLE t$_ AS SELECT * FROM $base; CREATE INDEX t${_}_i ON t$_ USING hnsw (e $class)$layout; DELETE FROM t$_ WHERE id % 3 = 0;"
} 0 .. $#trials);
my %file = map { $_ => $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('t${_}_i')") } 0 .. $#trials;
$node->stop;

# another seed: other places
srand($ENV{VECDB_SEED} // 20260101);
foreach my $n (0 .. $#trials)
{
	my $trial = $trials[$n];
	open my $handle, '+<:raw', $file{$n} or die "$file{$n}: $!";
	my $blocks = (-s $handle) / 8192;
	my @pages = map { sysseek $handle, 8192 * $_, 0; sysread $handle, my $page, 8192; $page } 0 .. $blocks - 1;
	my @wanted = grep { !$kind_number{ $trial->{kind} } || unpack('v', substr $pages[$_], 8176, 2) == $kind_number{ $trial->{kind} } } 0 .. $blocks - 1;
	my $block = $wanted[ int rand @wanted ];
	my $page = $pages[$block];
	my $how = $trial->{how} // $trial->{kind};
	if ($how eq 'next')
	{
		# every link leads to the first one: no chain has an end
		substr($page, 24 + 904 * $_, 4) = pack 'V', 9 * $block foreach (0 .. 8);
	}
	elsif ($how eq 'zero')
	{
		$page = "\0" x 8192;
	}
	elsif ($how eq 'swap')
	{
		$page = $pages[ ($block + 1) % $blocks ];
	}
	elsif ($trial->{kind} eq 'lane')
	{
		# layout fused: a bit of the code of the first neighbour of the first node
		my ($code_dims, $lanes, $first) = map { unpack $_->[1], substr $pages[0], 24 + $_->[0], 4 } [ 12, 'V' ], [ 24, 'v' ], [ 30, 'v' ];
		($block) = grep { unpack('v', substr $pages[$_], 8176, 2) == $kind_number{node} } 0 .. $blocks - 1;
		$page = $pages[$block];
		my $offset = $first + 48 + $code_dims + 4 * $lanes + 128;
		substr $page, $offset, 1, chr(ord(substr $page, $offset, 1) ^ 1);
	}
	elsif ($trial->{kind} eq 'short')
	{
		truncate $handle, 8192 * int($blocks / 2);
	}
	else
	{
		foreach (1 .. $trial->{bytes})
		{
			# metapage: among the fields; others: in the body
			my $offset = $trial->{kind} eq 'meta' ? 24 + int rand 88 : $trial->{kind} eq 'mean' ? 24 + int rand 80
			  : $trial->{kind} eq 'header' ? int rand 24 : 24 + int rand 8168;
			substr $page, $offset, 1, chr(ord(substr $page, $offset, 1) ^ 1 + int rand 255);
		}
	}
	$trial->{place} = "block $block of $blocks";
	if ($trial->{kind} ne 'short')
	{
		sysseek $handle, 8192 * $block, 0;
		syswrite $handle, $page;
	}
	close $handle;
}

$node->start;
foreach my $n (0 .. $#trials)
{
	my $trial = $trials[$n];
	my $refused = qr/^XX00[12] /;
	my ($v, $op, undef, $more, $rows) = @{ $kinds{ $trial->{data} } };
	my $what = "trial $n, $trial->{data}, $trial->{bytes} byte(s) of a $trial->{kind} page" . ($trial->{how} ? " ($trial->{how})" : '') . ", $trial->{place}";
	my $got = $node->safe_psql('postgres', qq{
		SET enable_seqscan = off; SET statement_timeout = '60s';
		SELECT 'search ' || attempt(\$q\$
			SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || coalesce(bool_and(before <= d), true) FROM (SELECT id, d, lag(d) OVER () AS before FROM
				(SELECT id, e $op $v AS d FROM generate_series(1001, 1001) s, LATERAL (SELECT * FROM t$n ORDER BY e $op $v LIMIT 10) x) y) z\$q\$);
		SELECT 'nearest ' || attempt(\$q\$SELECT sum(((SELECT e $op $v FROM t$n ORDER BY e $op $v LIMIT 1) <=
			1.001 * (SELECT min(e $op $v) FROM t$n))::int) FROM generate_series(1001, 1020) s\$q\$);
		SELECT 'all ' || attempt(\$q\$SELECT count(*) || ' ' || count(DISTINCT id) FROM (SELECT id FROM t$n ORDER BY e $op (SELECT $v FROM generate_series(1002, 1002) s)) s\$q\$);});
	# not in a function: rows of one statement can be linked as late as at the commit
	my ($inserted, undef, $why) = $node->psql('postgres', "SET statement_timeout = '60s'; INSERT INTO t$n SELECT s, $v FROM generate_series(2001, 2000 + $more) s",
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	$got .= "\ninsert " . ($inserted == 0 ? $more : $why =~ /ERROR:  (\w+)/ ? "$1 " : $why) . "\n";
	$got .= $node->safe_psql('postgres', qq{
		SET enable_seqscan = off; SET statement_timeout = '60s';
		SELECT 'check ' || attempt(\$q\$SELECT count(*) FROM vecdb.check_index('t${n}_i')\$q\$);
		SELECT 'recall ' || attempt(\$q\$SELECT recall FROM vecdb.check_recall('t${n}_i', 10)\$q\$);});
	my %answer = $got =~ /^(\w+) (.*)$/mg;
	# VACUUM cannot run in a function
	my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = '60s'; VACUUM t$n", extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	$answer{vacuum} = $code == 0 ? 'done' : $err =~ /ERROR:  (\w+)/ ? "$1 " : $err;
	note("$what: " . join('; ', map { "$_: " . ($answer{$_} // '') } sort keys %answer));
	{
		ok($answer{search} =~ $refused || $answer{search} =~ /^10 10 t/, "$what: search: $answer{search}");
		ok($answer{nearest} =~ $refused || ($answer{nearest} =~ /^\d+$/ && $answer{nearest} >= 18), "$what: nearest: $answer{nearest}");
		ok($answer{all} =~ $refused || $answer{all} =~ /^(\d+) \1$/, "$what: all rows: $answer{all}");
	}
	ok($answer{insert} =~ /$refused|^$more$/, "$what: insert: $answer{insert}");
	ok($answer{check} =~ /$refused|^\d+$/, "$what: check_index: $answer{check}");
	ok($answer{recall} =~ /$refused|^[01]/, "$what: check_recall: $answer{recall}");
	ok($answer{vacuum} =~ /$refused|^done/, "$what: VACUUM: $answer{vacuum}");
	is($answer{check}, '1', "$what: check_index tells it") if $trial->{kind} eq 'lane';
	# wrong rows are known to check_index, unless nothing was lost
	ok($answer{check} ne '0' || $answer{all} =~ $refused || $answer{all} eq "$rows $rows", "$what: what is lost is told: check_index $answer{check}, rows $answer{all}");
	is($node->safe_psql('postgres', "REINDEX INDEX t${n}_i; SELECT count(*) FROM vecdb.check_index('t${n}_i')"), '0', "$what: REINDEX mends it");
}
no_crash($node, 'corruption');
$node->stop;
done_testing();
