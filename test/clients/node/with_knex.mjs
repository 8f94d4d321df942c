// SPDX-License-Identifier: PostgreSQL
// Knex and pgvector: schema builder (extension, columns, indexes), query builder with distances, migrations, transactions.
import Knex from 'knex';
import pgvector from 'pgvector/knex';
import { SparseVector } from 'pgvector';
import * as s from './support.mjs';

const DISTANCE = {
	l2: 'l2Distance', ip: 'maxInnerProduct', cosine: 'cosineDistance', l1: 'l1Distance', hamming: 'hammingDistance', jaccard: 'jaccardDistance',
};
const given = (column, row) => {
	if (column === 's') return new SparseVector(s.sparse(row), s.SPARSE_DIMS);
	return s.value(column, row);
};
const sent = (column, row) => (column === 'b' ? s.bits(row) : pgvector.toSql(given(column, row)));
const record = (id) => ({ id, v: sent('v', id), h: sent('h', id), s: sent('s', id), b: sent('b', id) });

await s.run(async () => {
	s.version('knex');
	const knex = Knex({ client: 'pg', connection: { options: s.STARTUP } });
	const first = {
		up: async (db) => {
			await db.schema.enableExtension('vector');
			await db.schema.createTable('items', (table) => {
				table.integer('id').primary();
				table.vector('v', { dimensions: s.DIMS });
				table.halfvec('h', { dimensions: s.DIMS });
				table.sparsevec('s', { dimensions: s.SPARSE_DIMS });
				table.specificType('b', `bit(${s.BITS})`);
			});
		},
		down: (db) => db.schema.dropTable('items'),
	};
	await knex.migrate.latest({ migrationSource: {
		getMigrations: async () => ['first'], getMigrationName: (name) => name, getMigration: async () => first,
	} });
	const types = await knex.raw("SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 1 ORDER BY 1");
	s.same(types.rows.map((row) => row.type), ['bit(64)', 'halfvec(8)', 'sparsevec(64)', 'vector(8)'], 'columns as declared');
	await knex.batchInsert('items', s.rows.map(record), 100);
	const rows = await knex('items').select('*').orderBy('id');
	s.same(
		rows.map((row) => ({ id: row.id, v: pgvector.fromSql(row.v), h: pgvector.fromSql(row.h), s: s.parse('s', row.s), b: row.b })),
		s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), s: s.sparse(id), b: s.bits(id) })),
		'rows read back',
	);
	const ask = (column, metric) => knex('items')
		.select('id', knex.raw(`?? ${s.OPERATOR[metric]} ? AS distance`, [column, sent(column, s.QUERY)]))
		.orderBy(knex[DISTANCE[metric]](column, given(column, s.QUERY))).limit(s.NEAREST);
	for (const [column, metric] of s.DISTANCES) {
		s.nearest(await ask(column, metric), column, metric, `${s.TYPE_OF[column]} ${s.OPERATOR[metric]} without an index`);
	}
	for (const [method, column, metric] of s.INDEXES) {
		const kind = `${method} ${s.opclass(column, metric)}`;
		if (method === 'hnsw' && metric === 'l2') {
			// Its own way to an index, which can name the method and, in the column's place, the operator class.
			await knex.schema.alterTable('items', (table) => {
				table.index(knex.raw(`?? ${s.opclass(column, metric)}`, [column]), 'items_index', method);
			});
		} else {
			await knex.raw(s.createIndex(method, column, metric));
		}
		s.usesIndex((await knex.raw(s.explain(column, metric))).rows, 'items_index', `${kind} is used`);
		s.nearest(await ask(column, metric), column, metric, `${kind} answers`);
		await knex.schema.alterTable('items', (table) => table.dropIndex(null, 'items_index'));
	}
	await knex.raw(s.createIndex('hnsw', 'v', 'l1'));
	await knex.transaction(async (trx) => {
		await trx('items').insert(record(s.QUERY)).onConflict('id').merge();
		const found = await trx('items').select('id').orderBy(knex.l1Distance('v', s.dense(s.QUERY))).limit(1);
		s.same(found, [{ id: s.QUERY }], 'a row of this transaction is found');
		throw new Error('undo');
	}).catch((error) => s.same(error.message, 'undo', 'rolled back'));
	s.nearest(await ask('v', 'l1'), 'v', 'l1', 'it is gone after ROLLBACK');
	await knex.destroy();
});
