<?php
// SPDX-License-Identifier: PostgreSQL
// PDO and PHP's own pg functions: parameters, prepared statements, COPY from and to arrays, transactions, errors. The rows are
// those of the programs in other languages.
declare(strict_types=1);

const ROWS = 300;
const DIMS = 8;
const SPARSE_DIMS = 64;
const BITS = 64;
const QUERY = 1000;
const NEAREST = 10;
const OPERATOR = ['l2' => '<->', 'ip' => '<#>', 'cosine' => '<=>', 'l1' => '<+>', 'hamming' => '<~>', 'jaccard' => '<%>'];
const TYPE_OF = ['v' => 'vector', 'h' => 'halfvec', 's' => 'sparsevec', 'b' => 'bit'];

$distances = [];
foreach (['v', 'h', 's'] as $column) {
	foreach (['l2', 'ip', 'cosine', 'l1'] as $metric) {
		$distances[] = [$column, $metric];
	}
}
array_push($distances, ['b', 'hamming'], ['b', 'jaccard']);
$indexes = array_map(fn($pair) => ['hnsw', ...$pair], $distances);
foreach (['v', 'h'] as $column) {
	foreach (['l2', 'ip', 'cosine'] as $metric) {
		$indexes[] = ['ivfflat', $column, $metric];
	}
}
$indexes[] = ['ivfflat', 'b', 'hamming'];

function scatter(int $row, int $column): int
{
	$x = ($row * 40503 + $column * 10007 + 17) % 65521;
	$x = ($x * $x + 12345) % 65521;
	return ($x * $x + $column) % 65521;
}

function element(int $row, int $column): float
{
	return (scatter($row, $column) % 127 - 63) / 8;
}

/** Every value as its elements, those of a sparse one and of a bit string too. */
function value(string $column, int $row): array
{
	if ($column === 'b') {
		return array_map(fn($i) => scatter($row, $i) >> 3 & 1, range(0, BITS - 1));
	}
	if ($column !== 's') {
		return array_map(fn($i) => element($row, $i), range(0, DIMS - 1));
	}
	$x = array_fill(0, SPARSE_DIMS, 0.0);
	for ($k = 0; $k < 5; $k++) {
		$x[($row * 7 + $k * 11) % SPARSE_DIMS] = element($row, $k) ?: 1.0;
	}
	return $x;
}

function text(string $column, int $row): string
{
	$x = value($column, $row);
	if ($column === 'b') {
		return implode('', $x);
	}
	if ($column !== 's') {
		return '[' . implode(',', $x) . ']';
	}
	$filled = array_filter($x);
	$entries = array_map(fn($i) => ($i + 1) . ':' . $x[$i], array_keys($filled));
	return '{' . implode(',', $entries) . '}/' . SPARSE_DIMS;
}

function distance(string $metric, array $a, array $b): float
{
	$l2 = $l1 = $product = $aa = $bb = $differ = $any = 0;
	foreach ($a as $i => $x) {
		$y = $b[$i];
		$l2 += ($x - $y) ** 2;
		$l1 += abs($x - $y);
		$product += $x * $y;
		$aa += $x * $x;
		$bb += $y * $y;
		$differ += $x != $y;
		$any += $x != 0 || $y != 0;
	}
	return (float) match ($metric) {
		'l2' => sqrt($l2),
		'l1' => $l1,
		'ip' => -$product,
		'cosine' => 1 - $product / sqrt($aa * $bb),
		'hamming' => $differ,
		'jaccard' => 1 - $product / ($any ?: 1),
	};
}

$count = $failed = 0;

function check(bool $passed, string $what, string $detail = ''): void
{
	global $count, $failed;
	$count++;
	$failed += $passed ? 0 : 1;
	echo $passed ? "ok $count - $what\n" : "not ok $count - $what: $detail\n";
}

function same(mixed $got, mixed $expected, string $what): void
{
	check($got === $expected, $what, 'got ' . json_encode($got) . ', expected ' . json_encode($expected));
}

function close(float $a, float $b): bool
{
	return abs($a - $b) <= 1e-5 * max(1, abs($b));
}

/** Rows of equal distance may stand in any order. */
function nearest(array $got, string $column, string $metric, string $what, ?array $among = null): void
{
	$own = [];
	foreach ($among ?? range(0, ROWS - 1) as $row) {
		$own[$row] = distance($metric, value($column, $row), value($column, QUERY));
	}
	$best = array_values($own);
	sort($best);
	$wrong = count($got) === NEAREST && count(array_unique(array_column($got, 0))) === NEAREST ? '' : count($got) . ' rows';
	foreach ($got as $i => [$id, $distance]) {
		if (!isset($own[$id]) || !close((float) $distance, $own[$id]) || !close($own[$id], $best[$i])) {
			$wrong = $wrong ?: "row $id at $distance in place of one at {$best[$i]}";
		}
	}
	check($wrong === '', $what, $wrong);
}

function expected_rows(int $from = 0): array
{
	return array_map(fn($row) => [$row, text('v', $row), text('h', $row), text('s', $row), text('b', $row)], range($from, ROWS - 1));
}

echo '# PHP ', PHP_VERSION, "\n";
$host = getenv('PGHOST');
$port = getenv('PGPORT');
$name = getenv('PGDATABASE');
$db = new PDO("pgsql:host=$host;port=$port;dbname=$name", getenv('PGUSER'), getenv('PGPASSWORD') ?: null);
$db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$db->exec('CREATE EXTENSION IF NOT EXISTS vector');
$db->exec('CREATE TABLE items (id int PRIMARY KEY, v vector(8), h halfvec(8), s sparsevec(64), b bit(64))');
$db->beginTransaction();
$insert = $db->prepare('INSERT INTO items VALUES (?, ?, ?, ?, ?)');
foreach (range(0, ROWS / 2 - 1) as $row) {
	$insert->execute([$row, text('v', $row), text('h', $row), text('s', $row), text('b', $row)]);
}
$db->commit();
$lines = array_map(fn($row) => implode("\t", $row), expected_rows(intdiv(ROWS, 2)));
$db->pgsqlCopyFromArray('items', $lines);
same($db->query('SELECT * FROM items ORDER BY id')->fetchAll(PDO::FETCH_NUM), expected_rows(), 'rows read back');

// The other interface, and the query in two of its forms.
$pg = pg_connect("host=$host port=$port dbname=$name user=" . getenv('PGUSER') . ' password=' . (getenv('PGPASSWORD') ?: "''"));
$copied = array_map(fn($line) => rtrim($line, "\n"), pg_copy_to($pg, 'items'));
sort($copied);
$all = array_map(fn($row) => implode("\t", $row), expected_rows());
sort($all);
same($copied, $all, 'rows read back by COPY');

function question(string $column, string $metric, string $asked): string
{
	$distance = "$column " . OPERATOR[$metric] . " $asked";
	return "SELECT id, $distance FROM items ORDER BY $distance LIMIT " . NEAREST;
}

function ask(string $column, string $metric): array
{
	global $pg;
	static $prepared = [];
	if (!isset($prepared["$column$metric"])) {
		pg_prepare($pg, "$column$metric", question($column, $metric, '$1'));
		$prepared["$column$metric"] = true;
	}
	return pg_fetch_all(pg_execute($pg, "$column$metric", [text($column, QUERY)]), PGSQL_NUM);
}

foreach ($distances as [$column, $metric]) {
	nearest(ask($column, $metric), $column, $metric, TYPE_OF[$column] . ' ' . OPERATOR[$metric] . ' without an index');
}
foreach ([$db->exec(...), fn($sql) => pg_query($pg, $sql)] as $run) {
	$run('SET enable_seqscan = off; SET hnsw.ef_search = 400; SET ivfflat.probes = 100');
}
foreach ($indexes as [$method, $column, $metric]) {
	$opclass = TYPE_OF[$column] . "_{$metric}_ops";
	$options = $method === 'hnsw' ? 'm = 16, ef_construction = 64' : 'lists = 8';
	$db->exec("CREATE INDEX items_index ON items USING $method ($column $opclass) WITH ($options)");
	$literal = $db->quote(text($column, QUERY));
	$plan = implode("\n", $db->query('EXPLAIN ' . question($column, $metric, $literal))->fetchAll(PDO::FETCH_COLUMN));
	check(str_contains($plan, 'Index Scan using items_index '), "$method $opclass is used", $plan);
	nearest(ask($column, $metric), $column, $metric, "$method $opclass answers a prepared statement");
	// PDO sends the text itself, since "?" stands in none of the operators.
	$rows = $db->query(question($column, $metric, $literal))->fetchAll(PDO::FETCH_NUM);
	nearest($rows, $column, $metric, "$method $opclass answers a literal");
	$db->exec('DROP INDEX items_index');
}

$db->exec('CREATE INDEX ON items USING hnsw (b bit_hamming_ops)');
$db->beginTransaction();
$db->prepare('INSERT INTO items (id, b) VALUES (?, ?)')->execute([QUERY, text('b', QUERY)]);
$asked = "B'" . text('b', QUERY) . "'";
$rows = $db->query(question('b', 'hamming', $asked))->fetchAll(PDO::FETCH_NUM);
nearest($rows, 'b', 'hamming', 'a row of this transaction is found', [...range(0, ROWS - 1), QUERY]);
$refused = [
	["INSERT INTO items (id, v) VALUES (-1, '[1,2]')", '22000', 'expected 8 dimensions, not 2'],
	["SELECT '101'::bit(3) <~> '10'::bit(2)", '22000', 'different bit lengths 3 and 2'],
];
foreach ($refused as [$sql, $state, $message]) {
	$db->exec('SAVEPOINT before');
	try {
		$db->query($sql);
		check(false, "$sql is refused", 'no error');
	} catch (PDOException $error) {
		same([$error->errorInfo[0], explode("\n", $error->errorInfo[2])[0]], [$state, "ERROR:  $message"], "$message: refused");
	}
	$db->exec('ROLLBACK TO before');
}
$db->rollBack();
nearest($db->query(question('b', 'hamming', $asked))->fetchAll(PDO::FETCH_NUM), 'b', 'hamming', 'it is gone after ROLLBACK');
echo "1..$count\n";
exit($failed || !$count ? 1 : 0);
