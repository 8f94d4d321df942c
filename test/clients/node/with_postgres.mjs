// SPDX-License-Identifier: PostgreSQL
// postgres (postgres.js): parameters whose types the server infers, bulk inserts, types of its own, COPY streams, cursors,
// transactions with savepoints.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import * as s from './support.mjs';

await s.run(async () => {
	s.version('postgres');
	const first = postgres({ max: 1, onnotice: () => {} });
	await first`CREATE EXTENSION IF NOT EXISTS vector`;
	const oids = await first`SELECT typname, oid FROM pg_type WHERE typname IN ('vector', 'halfvec', 'sparsevec')`;
	await first.end();
	const oid = Object.fromEntries(oids.map((row) => [row.typname, row.oid]));
	const type = (column) => ({
		to: oid[s.TYPE_OF[column]],
		from: [oid[s.TYPE_OF[column]]],
		serialize: (x) => s.text(column, x),
		parse: (x) => s.parse(column, x),
	});
	const sql = postgres({ max: 1, onnotice: () => {}, types: { vector: type('v'), halfvec: type('h'), sparsevec: type('s') } });
	await sql.unsafe(`CREATE TABLE items (${s.TABLE})`);
	const sent = (column, id) => (column === 'b' ? s.bits(id) : sql.typed[s.TYPE_OF[column]](s.value(column, id)));
	const row = (id) => ({ id, v: sent('v', id), h: sent('h', id), s: sent('s', id), b: sent('b', id) });
	const half = s.ROWS / 2;
	await sql`INSERT INTO items ${sql(s.rows.slice(0, half).map(row))}`;
	const lines = s.rows.slice(half).map((id) => [id, ...['v', 'h', 's', 'b'].map((c) => s.textOf(c, id))].join('\t') + '\n');
	await pipeline(Readable.from(lines), await sql`COPY items FROM STDIN`.writable());

	const expected = s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), s: s.sparse(id), b: s.bits(id) }));
	s.same([...await sql`SELECT * FROM items ORDER BY id`], expected, 'rows read back');
	const chunks = [];
	await sql`SELECT * FROM items ORDER BY id`.cursor(64, (some) => { chunks.push(...some); });
	s.same(chunks, expected, 'rows read back by a cursor');

	const ask = (column, metric) => {
		const operator = sql.unsafe(s.OPERATOR[metric]);
		const asked = sent(column, s.QUERY);
		return sql`SELECT id, ${sql(column)} ${operator} ${asked} AS distance FROM items
			ORDER BY ${sql(column)} ${operator} ${asked} LIMIT ${s.NEAREST}`;
	};
	for (const [column, metric] of s.DISTANCES) {
		s.nearest(await ask(column, metric), column, metric, `${s.TYPE_OF[column]} ${s.OPERATOR[metric]} without an index`);
	}
	await sql.unsafe(s.SET);
	for (const [method, column, metric] of s.INDEXES) {
		const kind = `${method} ${s.opclass(column, metric)}`;
		await sql.unsafe(s.createIndex(method, column, metric));
		s.usesIndex(await sql.unsafe(s.explain(column, metric)), 'items_index', `${kind} is used`);
		s.nearest(await ask(column, metric), column, metric, `${kind} answers`);
		await sql`DROP INDEX items_index`;
	}

	await sql`CREATE INDEX ON items USING hnsw (v vector_cosine_ops)`;
	await s.refused(sql.begin(async (transaction) => {
		await transaction`INSERT INTO items (id, v) VALUES (${s.QUERY}, ${sent('v', s.QUERY)})`;
		const asked = sent('v', s.QUERY);
		const found = await transaction`SELECT id, v <=> ${asked} AS distance FROM items ORDER BY 2 LIMIT ${s.NEAREST}`;
		s.nearest(found, 'v', 'cosine', 'a row of this transaction is found', { among: [...s.rows, s.QUERY] });
		await transaction.savepoint((inner) => inner`SELECT ${[1, 2]}::vector <-> ${[1]}::vector`)
			.catch((error) => s.same(error.code, '22000', 'an error ends only its savepoint'));
		await transaction`SELECT '[1,x]'::vector`;
	}), '22P02', 'invalid input syntax for type vector: "[1,x]"', 'malformed text is refused');
	s.nearest(await ask('v', 'cosine'), 'v', 'cosine', 'the row is gone after ROLLBACK');
	await sql.end();
});
