// SPDX-License-Identifier: PostgreSQL
// pg and pgvector: registered types, prepared statements, a pool, transactions, errors. (In binary pg gives no bytes above 127
// unharmed to a type of the user's, so there is nothing to ask of it.)
import pg from 'pg';
import pgvector from 'pgvector/pg';
import { SparseVector } from 'pgvector';
import * as s from './support.mjs';

const asSent = (column, row) => {
	const x = s.value(column, row);
	if (column === 'b') return x;
	return pgvector.toSql(column === 's' ? new SparseVector(x, s.SPARSE_DIMS) : x);
};

await s.run(async () => {
	s.version('pg');
	s.version('pgvector');
	const client = new pg.Client();
	await client.connect();
	await client.query('CREATE EXTENSION IF NOT EXISTS vector');
	await pgvector.registerTypes(client);
	await client.query(`CREATE TABLE items (${s.TABLE})`);
	await client.query('BEGIN');
	for (const id of s.rows) {
		await client.query({
			name: 'insert',
			text: 'INSERT INTO items VALUES ($1, $2, $3, $4, $5)',
			values: [id, ...['v', 'h', 's', 'b'].map((column) => asSent(column, id))],
		});
	}
	await client.query('COMMIT');

	const { rows } = await client.query('SELECT * FROM items ORDER BY id');
	s.same(
		rows.map((row) => ({ ...row, s: s.parse('s', row.s.toPostgres()) })),
		s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), s: s.sparse(id), b: s.bits(id) })),
		'rows read back',
	);
	const ask = async (column, metric, query = s.QUERY) => {
		const operator = s.OPERATOR[metric];
		const text = `SELECT id, ${column} ${operator} $1 AS distance FROM items ORDER BY ${column} ${operator} $1 LIMIT $2`;
		return (await client.query({ name: column + metric, text, values: [asSent(column, query), s.NEAREST] })).rows;
	};
	for (const [column, metric] of s.DISTANCES) {
		s.nearest(await ask(column, metric), column, metric, `${s.TYPE_OF[column]} ${s.OPERATOR[metric]} without an index`);
	}
	await client.query(s.SET);
	for (const [method, column, metric] of s.INDEXES) {
		const kind = `${method} ${s.opclass(column, metric)}`;
		await client.query(s.createIndex(method, column, metric));
		s.usesIndex((await client.query(s.explain(column, metric))).rows, 'items_index', `${kind} is used`);
		for (let query = s.QUERY; query < s.QUERY + 7; query += 1) {
			s.nearest(await ask(column, metric, query), column, metric, `${kind} answers query ${query - s.QUERY}`, { query });
		}
		await client.query('DROP INDEX items_index');
	}

	await client.query('CREATE INDEX ON items USING hnsw (v vector_l2_ops)');
	await client.query('BEGIN');
	await client.query('INSERT INTO items (id, v) VALUES ($1, $2)', [s.QUERY, asSent('v', s.QUERY)]);
	s.nearest(await ask('v', 'l2'), 'v', 'l2', 'a row of this transaction is found', { among: [...s.rows, s.QUERY] });
	await client.query('ROLLBACK');
	s.nearest(await ask('v', 'l2'), 'v', 'l2', 'it is gone after ROLLBACK');
	await s.refused(client.query('INSERT INTO items (id, v) VALUES (-1, $1)', ['[1,2]']), '22000',
		'expected 8 dimensions, not 2', 'a vector too short is refused');

	// pgvector's client prints floats as JavaScript does: with exponents.
	const awkward = [1e-7, 1.5e-45, -3.4028234663852886e38, 123456792, 0.1].map(Math.fround);
	const back = (await client.query('SELECT $1::vector AS v', [pgvector.toSql(awkward)])).rows[0].v.map(Math.fround);
	s.same(back, awkward, 'floats of every size');
	const pool = new pg.Pool({ max: 4, onConnect: (connection) => pgvector.registerTypes(connection) });
	const queries = Array.from({ length: 12 }, (_, i) => s.QUERY + i);
	const answers = await Promise.all(queries.map((query) =>
		pool.query(`SELECT id, v <-> $1 AS distance FROM items ORDER BY 2 LIMIT ${s.NEAREST}`, [asSent('v', query)])));
	answers.forEach(({ rows: got }, i) => s.nearest(got, 'v', 'l2', `query ${i} of twelve at once`, { query: queries[i] }));
	await pool.end();
	await client.end();
});
