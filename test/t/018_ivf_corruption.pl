# SPDX-License-Identifier: PostgreSQL
# ivf: bytes of index pages are flipped at seeded places while the server is down. Afterwards each statement either answers
# right or fails with index_corrupted (XX002) or PostgreSQL's own data_corrupted (XX001). The server never crashes.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib "$FindBin::RealBin/../perl";
use VecdbTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('ivf_corruption');
$node->start;
create_data_functions($node);

# The kinds of indexes; one table, copied with its index for each trial: which kind of page is hit, and how many bytes.
my @options = (
	'ivf (e vector_l2_ops) WITH (lists = 6)', 'ivfflat (e vector_l2_ops) WITH (lists = 6)', 'ivf (e vector_l2_ops) WITH (lists = 6, rerank = heap)',
	'ivf (e vector_l2_ops) WITH (lists = 6, quantizer = pq)', 'ivf (e vector_l2_ops) WITH (lists = 6, quantizer = rabitq4)');
my %kind_number = (meta => 1, vector => 2, list => 3, directory => 3, slots => 4);
my @trials;
foreach my $kind (qw(meta list list list directory directory slots slots vector))
{
	push @trials, { kind => $kind, bytes => $_ } foreach (1, 1, 4, 64, 2000);
}
push @trials, { kind => 'listheader', bytes => $_ } foreach (1, 1, 2, 4, 8);
push @trials, { kind => 'header', bytes => $_ } foreach (1, 2, 8, 24);
push @trials, { kind => 'trailer', bytes => $_ } foreach (1, 2, 8);
push @trials, { kind => $_, bytes => 8192 } foreach (qw(zero zero swap swap));
push @trials, { kind => 'code', bytes => 1 }, { kind => 'short', bytes => 0 };
# addresses of slot pages: past the end of the index, and of a page that is none; with each kind of index that has slots
push @trials, map { my $option = $_; map { { kind => $_, bytes => 4, option => $option } } qw(slotpast slotkind) } (0, 1, 3, 4);
# slots of several pages
push @trials, { kind => $_, bytes => 64, wide => 1 } foreach (qw(list directory slots slots slots header));
push @trials, { kind => $_, bytes => 8192, wide => 1 } foreach (qw(zero swap));

$node->safe_psql('postgres', q{
	CREATE TABLE base AS SELECT i AS id, clustered(i, 20)::vector(20) AS e FROM generate_series(1, 700) i;
	CREATE TABLE wide_base AS SELECT i AS id, wide(i, 16000)::vector(16000) AS e FROM generate_series(1, 60) i;
	-- text of the SQLSTATE, or of the answer
	CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
		DECLARE answer text;
		BEGIN EXECUTE statement INTO answer; RETURN answer; EXCEPTION WHEN OTHERS OR query_canceled THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
});
foreach my $n (0 .. $#trials)
{
	my $trial = $trials[$n];
	$trial->{option} //= $trial->{kind} eq 'code' ? 0 : $trial->{kind} eq 'vector' ? 3 : $trial->{wide} ? $n % 2 : $n % @options;
	$trial->{base} = $trial->{wide} ? 'wide_base' : 'base';
}
$node->safe_psql('postgres', join ';', map {
	"CREATE TABLE t$_ AS SELECT * FROM $trials[$_]{base}; CREATE INDEX t${_}_i ON t$_ USING $options[$trials[$_]{option}]; DELETE FROM t$_ WHERE id % 3 = 0;"
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
	my $kind = $trial->{kind} =~ /^(listheader|code|slotpast|slotkind)$/ ? 'list' : $trial->{kind};
	my @wanted = grep {
		my $is = unpack 'v', substr $pages[$_], 8176, 2;
		# flags of the list header: 2 is the directory
		my $directory = $is == 3 && (unpack('v', substr $pages[$_], 40, 2) & 2);
		!$kind_number{$kind} || ($is == $kind_number{$kind} && ($is != 3 || !$directory == ($kind ne 'directory')));
	} 0 .. $blocks - 1;
	my $block = $wanted[ int rand @wanted ];
	my $page = $pages[$block];
	if ($trial->{kind} eq 'zero')
	{
		$page = "\0" x 8192;
	}
	elsif ($trial->{kind} eq 'swap')
	{
		$page = $pages[ ($block + 1) % $blocks ];
	}
	elsif ($trial->{kind} eq 'short')
	{
		truncate $handle, 8192 * int($blocks / 2);
	}
	elsif ($trial->{kind} =~ /^slot(past|kind)$/)
	{
		# the first of them stands behind the page's and the list's header
		substr $page, 24 + 40, 4, pack('V', $1 eq 'past' ? 0x70000000 : $block);
	}
	elsif ($trial->{kind} eq 'code')
	{
		# all sign bits of the first lane of the first block: its codes begin behind header and TIDs
		my $first_block = unpack 'v', substr $page, 12, 2;
		my $lower = $first_block;
		# dimensions 20 are 32 coded ones: 8 segments of 16 bytes, the last of the page's use
		foreach my $segment (0 .. 7)
		{
			my $offset = $trial->{code_offset} = $lower - 8 * 16 + 16 * $segment;
			substr $page, $offset, 1, chr(ord(substr $page, $offset, 1) ^ 15);
		}
	}
	else
	{
		foreach (1 .. $trial->{bytes})
		{
			my $offset = $trial->{kind} eq 'meta' ? 24 + int rand 128
			  : $trial->{kind} eq 'vector' ? 24 + int rand 80
			  : $trial->{kind} eq 'header' ? int rand 24
			  : $trial->{kind} eq 'listheader' ? 24 + int rand 40
			  : $trial->{kind} eq 'trailer' ? 8176 + int rand 16
			  : 24 + int rand 8168;
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
	my ($v, $more, $rows) = $trial->{wide} ? ('(SELECT wide(s, 16000))', 10, 40) : ('clustered(s, 20)', 50, 467);
	my $what = "trial $n, $trial->{bytes} byte(s) of a $trial->{kind} page, $options[$trial->{option}]" . ($trial->{wide} ? ', 16,000 dimensions' : '') . ", $trial->{place}";
	# all lists, so that nothing but the damage can hide a row
	my $set = q{SET enable_seqscan = off; SET statement_timeout = '20s'; SET vecdb.ivf_probes = 32768;};
	my $got = $node->safe_psql('postgres', qq{$set
		SELECT 'search ' || attempt(\$q\$
			SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || coalesce(bool_and(before <= d), true) FROM (SELECT id, d, lag(d) OVER () AS before FROM
				(SELECT id, e <-> $v AS d FROM generate_series(1001, 1001) s, LATERAL (SELECT * FROM t$n ORDER BY e <-> $v LIMIT 10) x) y) z\$q\$);
		SELECT 'nearest ' || attempt(\$q\$SELECT sum(((SELECT e <-> $v FROM t$n ORDER BY e <-> $v LIMIT 1) <=
			1.001 * (SELECT min(e <-> $v) FROM t$n))::int) FROM generate_series(1001, 1020) s\$q\$);
		SELECT 'all ' || attempt(\$q\$SELECT count(*) || ' ' || count(DISTINCT id) FROM (SELECT id FROM t$n ORDER BY e <-> (SELECT $v FROM generate_series(1002, 1002) s)) s\$q\$);
		SELECT 'check1 ' || attempt(\$q\$SELECT count(*) FROM vecdb.check_index('t${n}_i')\$q\$);});
	my ($inserted, undef, $why) = $node->psql('postgres', "SET statement_timeout = '20s'; INSERT INTO t$n SELECT s, $v FROM generate_series(2001, 2000 + $more) s",
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	$got .= "\ninsert " . ($inserted == 0 ? $more : $why =~ /ERROR:  (\w+)/ ? "$1 " : $why) . "\n";
	$got .= $node->safe_psql('postgres', qq{$set
		SELECT 'check ' || attempt(\$q\$SELECT count(*) FROM vecdb.check_index('t${n}_i')\$q\$);
		SELECT 'recall ' || attempt(\$q\$SELECT recall FROM vecdb.check_recall('t${n}_i', 10)\$q\$);});
	my %answer = $got =~ /^(\w+) (.*)$/mg;
	# VACUUM cannot run in a function; twice, as it takes up what it left
	foreach (1, 2)
	{
		my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = '20s'; SELECT txid_current(); VACUUM t$n", extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
		($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = '20s'; VACUUM t$n", extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
		$answer{vacuum} = $code == 0 ? 'done' : $err =~ /ERROR:  (\w+)/ ? "$1 " : $err;
		ok($answer{vacuum} =~ /$refused|^done/, "$what: VACUUM: $answer{vacuum}");
	}
	note("$what: " . join('; ', map { "$_: " . ($answer{$_} // '') } sort keys %answer));
	ok($answer{search} =~ $refused || $answer{search} =~ /^10 10 t/, "$what: search: $answer{search}");
	# what the checks know of need not be found
	my $known = $answer{check1} ne '0';
	ok($answer{nearest} =~ $refused || $answer{nearest} =~ /^\d+$/ && ($known || $answer{nearest} >= 18), "$what: nearest: $answer{nearest}");
	ok($answer{all} =~ $refused || $answer{all} =~ /^(\d+) \1$/, "$what: all rows: $answer{all}");
	ok($answer{insert} =~ /$refused|^$more$/, "$what: insert: $answer{insert}");
	ok($answer{check} =~ /$refused|^\d+$/, "$what: check_index: $answer{check}");
	ok($answer{recall} =~ /$refused|^[01]/, "$what: check_recall: $answer{recall}");
	isnt($answer{check1}, '0', "$what: check_index tells it") if $trial->{kind} =~ /^(code|slotpast|slotkind)$/;
	like($answer{all}, qr/^XX002 /, "$what: no row is passed over") if $trial->{kind} =~ /^slot(past|kind)$/;
	# wrong rows are known to check_index, unless nothing was lost
	ok($known || $answer{all} =~ $refused || $answer{all} eq "$rows $rows", "$what: what is lost is told: check_index $answer{check1}, rows $answer{all}");
	is($node->safe_psql('postgres', "REINDEX INDEX t${n}_i; SELECT count(*) FROM vecdb.check_index('t${n}_i')"), '0', "$what: REINDEX mends it");
}
no_crash($node, 'corruption');
$node->stop;
done_testing();
