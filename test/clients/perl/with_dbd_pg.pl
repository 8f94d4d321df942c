#!/usr/bin/perl
# SPDX-License-Identifier: PostgreSQL
# DBD::Pg: placeholders and prepared statements, COPY both ways, arrays, transactions with savepoints, errors. The rows are
# those of the programs in other languages.
use strict;
use warnings;
use DBI;
use DBD::Pg qw(:pg_types);

my ($ROWS, $DIMS, $SPARSE_DIMS, $BITS, $QUERY, $NEAREST) = (300, 8, 64, 64, 1000, 10);
my %OPERATOR = (l2 => '<->', ip => '<#>', cosine => '<=>', l1 => '<+>', hamming => '<~>', jaccard => '<%>');
my %TYPE_OF = (v => 'vector', h => 'halfvec', s => 'sparsevec', b => 'bit');
my @DISTANCES = ((map { my $c = $_; map { [$c, $_] } qw(l2 ip cosine l1) } qw(v h s)), [ 'b', 'hamming' ], [ 'b', 'jaccard' ]);
my @INDEXES = (
	(map { [ 'hnsw', @$_ ] } @DISTANCES),
	(map { my $c = $_; map { [ 'ivfflat', $c, $_ ] } qw(l2 ip cosine) } qw(v h)),
	[ 'ivfflat', 'b', 'hamming' ]);

sub scatter
{
	my ($row, $column) = @_;
	my $x = ($row * 40503 + $column * 10007 + 17) % 65521;
	$x = ($x * $x + 12345) % 65521;
	return ($x * $x + $column) % 65521;
}
sub element { return (scatter(@_) % 127 - 63) / 8; }

# Every value as an array of numbers, a sparse one too.
sub value
{
	my ($column, $row) = @_;
	return [ map { scatter($row, $_) >> 3 & 1 } 0 .. $BITS - 1 ] if $column eq 'b';
	return [ map { element($row, $_) } 0 .. $DIMS - 1 ] if $column ne 's';
	my @x = (0) x $SPARSE_DIMS;
	$x[ ($row * 7 + $_ * 11) % $SPARSE_DIMS ] = element($row, $_) || 1 for 0 .. 4;
	return \@x;
}

sub text
{
	my ($column, $x) = @_;
	return join('', @$x) if $column eq 'b';
	return '[' . join(',', @$x) . ']' if $column ne 's';
	return '{' . join(',', map { ($_ + 1) . ":$x->[$_]" } grep { $x->[$_] } 0 .. $#$x) . "}/$SPARSE_DIMS";
}
sub text_of { return text($_[0], value(@_)); }

sub line
{
	my ($row) = @_;
	return map { text_of($_, $row) } qw(v h s b);
}

sub distance
{
	my ($metric, $a, $b) = @_;
	my ($l2, $l1, $product, $aa, $bb, $differ, $any) = (0) x 7;
	for my $i (0 .. $#$a)
	{
		my ($x, $y) = ($a->[$i], $b->[$i]);
		$l2 += ($x - $y)**2;
		$l1 += abs($x - $y);
		$product += $x * $y;
		$aa += $x * $x;
		$bb += $y * $y;
		$differ += $x != $y;
		$any += ($x || $y) ? 1 : 0;
	}
	return {
		l2 => sqrt($l2), l1 => $l1, ip => -$product, cosine => 1 - $product / sqrt($aa * $bb), hamming => $differ,
		jaccard => 1 - $product / ($any || 1)
	}->{$metric};
}

my ($count, $failed) = (0, 0);
sub check
{
	my ($passed, $what, $detail) = @_;
	$count++;
	$failed++ unless $passed;
	print $passed ? "ok $count - $what\n" : "not ok $count - $what" . (defined $detail ? ": $detail" : '') . "\n";
	return;
}

sub same
{
	my ($got, $expected, $what) = @_;
	check($got eq $expected, $what, "got $got, expected $expected");
	return;
}

sub close_to { return abs($_[0] - $_[1]) <= 1e-5 * (abs($_[1]) > 1 ? abs($_[1]) : 1); }

# Rows of equal distance may stand in any order.
sub nearest
{
	my ($got, $column, $metric, $what, $among) = @_;
	my $asked = value($column, $QUERY);
	my %own = map { $_ => distance($metric, value($column, $_), $asked) } @{ $among // [ 0 .. $ROWS - 1 ] };
	my @best = sort { $a <=> $b } values %own;
	my %seen;
	my $wrong = @$got == $NEAREST ? '' : @$got . ' rows';
	for my $i (0 .. $#$got)
	{
		my ($id, $distance) = @{ $got->[$i] };
		$wrong ||= "row $id twice" if $seen{$id}++;
		$wrong ||= "row $id has distance $own{$id}, not $distance" unless defined $own{$id} && close_to($distance, $own{$id});
		$wrong ||= "row $id at $distance where one at $best[$i] is nearer" unless close_to($distance, $best[$i]);
	}
	check(!$wrong, $what, $wrong);
	return;
}

print "# DBD::Pg $DBD::Pg::VERSION\n";
my $dbh = DBI->connect('dbi:Pg:', $ENV{PGUSER}, $ENV{PGPASSWORD}, { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
$dbh->do('CREATE EXTENSION IF NOT EXISTS vector');
$dbh->do("CREATE TABLE items (id int PRIMARY KEY, v vector($DIMS), h halfvec($DIMS), s sparsevec($SPARSE_DIMS), b bit($BITS))");
my $half = $ROWS / 2;
$dbh->begin_work;
my $insert = $dbh->prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?)');
$insert->execute($_, line($_)) for 0 .. $half - 1;
$dbh->do('COPY items FROM STDIN');
$dbh->pg_putcopydata(join("\t", $_, line($_)) . "\n") for $half .. $ROWS - 1;
$dbh->pg_putcopyend;
$dbh->commit;
my $all = $dbh->selectall_arrayref('SELECT * FROM items ORDER BY id');
same(join("\n", map { join("\t", @$_) } @$all), join("\n", map { join("\t", $_, line($_)) } 0 .. $ROWS - 1), 'rows read back');
$dbh->do('COPY (SELECT * FROM items ORDER BY id) TO STDOUT');
my ($copied, $piece) = ('');
$copied .= $piece while $dbh->pg_getcopydata($piece) >= 0;
same($copied, join('', map { join("\t", $_, line($_)) . "\n" } 0 .. $ROWS - 1), 'rows read back by COPY');
my ($array) = $dbh->selectrow_array('SELECT v::real[] FROM items WHERE id = 3');
same(join(',', @$array), join(',', @{ value('v', 3) }), 'a vector as an array');
my ($cast) = $dbh->selectrow_array('SELECT ?::real[]::vector', undef, value('v', 4));
same($cast, text_of('v', 4), 'an array as a vector');

my %statement;
for (@DISTANCES)
{
	my ($column, $metric) = @$_;
	$statement{"$column $metric"} = $dbh->prepare(
		"SELECT id, $column $OPERATOR{$metric} \$1 FROM items ORDER BY $column $OPERATOR{$metric} \$1 LIMIT $NEAREST");
}

sub ask
{
	my ($column, $metric) = @_;
	my $sth = $statement{"$column $metric"};
	$sth->execute(text_of($column, $QUERY));
	return $sth->fetchall_arrayref;
}
nearest(ask(@$_), @$_, "$TYPE_OF{$_->[0]} $OPERATOR{$_->[1]} without an index") for @DISTANCES;
$dbh->do($_) for 'SET enable_seqscan = off', 'SET hnsw.ef_search = 400', 'SET ivfflat.probes = 100';
for (@INDEXES)
{
	my ($method, $column, $metric) = @$_;
	my $kind = "$method $TYPE_OF{$column}_${metric}_ops";
	my $options = $method eq 'hnsw' ? 'm = 16, ef_construction = 64' : 'lists = 8';
	$dbh->do("CREATE INDEX items_index ON items USING $method ($column $TYPE_OF{$column}_${metric}_ops) WITH ($options)");
	my $literal = text_of($column, $QUERY);
	my $plan = join("\n", @{ $dbh->selectcol_arrayref("EXPLAIN SELECT id FROM items ORDER BY $column $OPERATOR{$metric} '$literal' LIMIT 10") });
	check($plan =~ /Index Scan using items_index /, "$kind is used", $plan);
	nearest(ask($column, $metric), $column, $metric, "$kind answers");
	$dbh->do('DROP INDEX items_index');
}

$dbh->do('CREATE INDEX ON items USING hnsw (s sparsevec_l2_ops)');
$dbh->begin_work;
$dbh->do('INSERT INTO items (id, s) VALUES (?, ?)', undef, $QUERY, text_of('s', $QUERY));
nearest(ask('s', 'l2'), 's', 'l2', 'a row of this transaction is found', [ 0 .. $ROWS - 1, $QUERY ]);
for (
	[ 'INSERT INTO items (id, v) VALUES (-1, ?)', '[1,2]', '22000', 'expected 8 dimensions, not 2' ],
	[ 'INSERT INTO items (id, s) VALUES (-1, ?)', '{1:x}/64', '22P02', 'invalid input syntax for type sparsevec: "{1:x}/64"' ])
{
	my ($sql, $bound, $state, $message) = @$_;
	$dbh->pg_savepoint('before');
	eval { $dbh->do($sql, undef, $bound); };
	same($dbh->state . ' ' . ($dbh->pg_error_field('message_primary') // ''), "$state $message", "$bound is refused");
	$dbh->pg_rollback_to('before');
}
$dbh->rollback;
nearest(ask('s', 'l2'), 's', 'l2', 'it is gone after ROLLBACK');
$statement{$_}->finish for keys %statement;
$dbh->disconnect;
print "1..$count\n";
exit($failed || !$count ? 1 : 0);
