// SPDX-License-Identifier: PostgreSQL
// What the Node.js programs share: the rows, the exact distances, and the checks that they print as TAP. The rows are those of
// the programs in other languages: a formula, all values multiples of 1/8, exact as float, half and decimal text alike.
import { readFileSync } from 'node:fs';

export const ROWS = 300;
export const DIMS = 8;
export const SPARSE_DIMS = 64;
export const BITS = 64;
export const QUERY = 1000; // the row, not stored, that is asked for
export const NEAREST = 10;

export const OPERATOR = { l2: '<->', ip: '<#>', cosine: '<=>', l1: '<+>', hamming: '<~>', jaccard: '<%>' };
export const TYPE_OF = { v: 'vector', h: 'halfvec', s: 'sparsevec', b: 'bit' };

// [column, metric]: what can be asked of each type.
export const DISTANCES = [
	...['v', 'h', 's'].flatMap((column) => ['l2', 'ip', 'cosine', 'l1'].map((metric) => [column, metric])),
	['b', 'hamming'],
	['b', 'jaccard'],
];

// [method, column, metric]: every operator class that pgvector has.
export const INDEXES = [
	...DISTANCES.map(([column, metric]) => ['hnsw', column, metric]),
	...['v', 'h'].flatMap((column) => ['l2', 'ip', 'cosine'].map((metric) => ['ivfflat', column, metric])),
	['ivfflat', 'b', 'hamming'],
];

export const TABLE = `id int PRIMARY KEY, v vector(${DIMS}), h halfvec(${DIMS}), s sparsevec(${SPARSE_DIMS}), b bit(${BITS})`;

export const opclass = (column, metric) => `${TYPE_OF[column]}_${metric}_ops`;
export const options = (method) => (method === 'ivfflat' ? 'lists = 8' : 'm = 16, ef_construction = 64');
export const createIndex = (method, column, metric) =>
	`CREATE INDEX items_index ON items USING ${method} (${column} ${opclass(column, metric)}) WITH (${options(method)})`;

// With these both methods look at every row, so their answers are exact.
export const SETTINGS = { enable_seqscan: 'off', 'hnsw.ef_search': '400', 'ivfflat.probes': '100' };
export const SET = Object.entries(SETTINGS).map(([name, setting]) => `SET ${name} = ${setting}`).join('; ');
// The same at connecting, for clients that keep a pool.
export const STARTUP = Object.entries(SETTINGS).map(([name, setting]) => `-c ${name}=${setting}`).join(' ');

function scatter(row, column) {
	let x = (row * 40503 + column * 10007 + 17) % 65521;
	x = (x * x + 12345) % 65521;
	return (x * x + column) % 65521;
}
const element = (row, column) => ((scatter(row, column) % 127) - 63) / 8;
const range = (n) => Array.from({ length: n }, (_, i) => i);
export const rows = range(ROWS);

export const dense = (row) => range(DIMS).map((column) => element(row, column));
/** {index from 0: value} */
export const sparse = (row) =>
	Object.fromEntries(range(5).map((k) => [(row * 7 + k * 11) % SPARSE_DIMS, element(row, k) || 1]));
export const bits = (row) => range(BITS).map((column) => (scatter(row, column) >> 3) & 1).join('');
export const value = (column, row) => ({ v: dense, h: dense, s: sparse, b: bits })[column](row);

/** What the server reads and prints. */
export function text(column, x) {
	if (column === 'b') return x;
	if (column !== 's') return `[${x.join(',')}]`;
	const indices = Object.keys(x).map(Number).sort((a, b) => a - b);
	return `{${indices.map((i) => `${i + 1}:${x[i]}`).join(',')}}/${SPARSE_DIMS}`;
}
export const textOf = (column, row) => text(column, value(column, row));

export function parse(column, s) {
	if (column === 'b') return s;
	if (column !== 's') return s.slice(1, -1).split(',').map(Number);
	const [entries, dims] = s.slice(1).split('}/');
	if (Number(dims) !== SPARSE_DIMS) throw new Error(`dimensions in ${s}`);
	return Object.fromEntries(entries.split(',').map((entry) => entry.split(':').map(Number)).map(([i, x]) => [i - 1, x]));
}

export function distance(metric, a, b) {
	if (typeof a === 'string') {
		const both = range(BITS).filter((i) => a[i] === '1' && b[i] === '1').length;
		const any = range(BITS).filter((i) => a[i] === '1' || b[i] === '1').length;
		return metric === 'hamming' ? any - both : both ? 1 - both / any : 1;
	}
	if (!Array.isArray(a)) [a, b] = [a, b].map((x) => range(SPARSE_DIMS).map((i) => x[i] ?? 0));
	const sum = (f) => a.reduce((total, x, i) => total + f(x, b[i]), 0);
	const product = (x, y) => x * y;
	if (metric === 'l2') return Math.sqrt(sum((x, y) => (x - y) ** 2));
	if (metric === 'l1') return sum((x, y) => Math.abs(x - y));
	if (metric === 'ip') return -sum(product);
	return 1 - sum(product) / Math.sqrt(sum((x) => x * x) * b.reduce((total, y) => total + y * y, 0));
}

/** [{id, distance}], nearest first */
export const exact = (column, metric, among = rows, query = QUERY) =>
	among
		.map((id) => ({ id, distance: distance(metric, value(column, id), value(column, query)) }))
		.sort((a, b) => a.distance - b.distance);

export const close = (a, b) => Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b));

let count = 0;
let failures = 0;

export function check(passed, what, detail = '') {
	count += 1;
	if (!passed) failures += 1;
	console.log(`${passed ? 'ok' : 'not ok'} ${count} - ${what}${passed || detail === '' ? '' : `: ${detail}`}`);
}

export function same(got, expected, what) {
	const [a, b] = [got, expected].map((x) => JSON.stringify(x));
	check(a === b, what, `got ${a}, expected ${b}`);
}

/**
 * Whether got, [{id, distance}], are the nearest rows in their order. Rows of equal distance may stand in any order.
 * A client that gives no distance is checked by those of its rows.
 */
export function nearest(got, column, metric, what, { limit = NEAREST, among = rows, query = QUERY } = {}) {
	const expected = exact(column, metric, among, query);
	const byId = new Map(expected.map((row) => [row.id, row.distance]));
	let wrong = '';
	if (got.length !== Math.min(limit, expected.length) || new Set(got.map((row) => Number(row.id))).size !== got.length) {
		wrong = `${got.length} rows`;
	}
	got.forEach((row, i) => {
		const own = byId.get(Number(row.id));
		const given = row.distance === undefined ? own : Number(row.distance);
		if (own === undefined || !close(given, own)) wrong ||= `row ${row.id} has distance ${own}, not ${given}`;
		else if (!close(own, expected[i]?.distance)) wrong ||= `row ${row.id} at ${own} where one at ${expected[i]?.distance} is nearer`;
	});
	check(wrong === '', what, wrong);
}

/** plan: the rows of EXPLAIN. */
export function usesIndex(plan, name, what) {
	const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
	check(lines.includes(`Index Scan using ${name} `), what, lines);
}
export const explain = (column, metric) =>
	`EXPLAIN SELECT id FROM items ORDER BY ${column} ${OPERATOR[metric]} '${textOf(column, QUERY)}' LIMIT ${NEAREST}`;

export async function refused(promise, code, message, what) {
	try {
		await promise;
		check(false, what, 'no error');
	} catch (error) {
		const cause = error.code ? error : error.cause ?? error.original ?? error.driverError ?? error;
		same([cause.code, cause.message], [code, message], what);
	}
}

/** The version of an installed package, which not every package lets a program import. */
export function version(name) {
	const url = new URL(`node_modules/${name}/package.json`, import.meta.url);
	console.log(`# ${name} ${JSON.parse(readFileSync(url)).version}`);
}

/** Runs test() and ends the program: the last line tells the runner that it got to the end. */
export async function run(test) {
	try {
		await test();
	} catch (error) {
		console.error(error);
		console.log('Bail out!');
		process.exit(2);
	}
	console.log(`1..${count}`);
	process.exit(failures || !count ? 1 : 0);
}
