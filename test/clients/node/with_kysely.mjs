// SPDX-License-Identifier: PostgreSQL
// Kysely and pgvector: schema builder, typed queries with distances, indexes by expression, transactions.
import pg from 'pg';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pgvector from 'pgvector/kysely';
import { SparseVector } from 'pgvector';
import * as s from './support.mjs';

const DISTANCE = {
	l2: pgvector.l2Distance,
	ip: pgvector.maxInnerProduct,
	cosine: pgvector.cosineDistance,
	l1: pgvector.l1Distance,
	hamming: pgvector.hammingDistance,
	jaccard: pgvector.jaccardDistance,
};
const given = (column, row) => (column === 's' ? new SparseVector(s.sparse(row), s.SPARSE_DIMS) : s.value(column, row));
const sent = (column, row) => (column === 'b' ? s.bits(row) : pgvector.toSql(given(column, row)));
const record = (id) => ({ id, v: sent('v', id), h: sent('h', id), s: sent('s', id), b: sent('b', id) });

await s.run(async () => {
	s.version('kysely');
	const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ options: s.STARTUP }) }) });
	await sql`CREATE EXTENSION IF NOT EXISTS vector`.execute(db);
	await db.schema.createTable('items')
		.addColumn('id', 'integer', (column) => column.primaryKey())
		.addColumn('v', sql`vector(8)`)
		.addColumn('h', sql`halfvec(8)`)
		.addColumn('s', sql`sparsevec(64)`)
		.addColumn('b', sql`bit(64)`)
		.execute();
	await db.insertInto('items').values(s.rows.map(record)).execute();
	const rows = await db.selectFrom('items').selectAll().orderBy('id').execute();
	s.same(
		rows.map((row) => ({ id: row.id, v: pgvector.fromSql(row.v), h: pgvector.fromSql(row.h), s: s.parse('s', row.s), b: row.b })),
		s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), s: s.sparse(id), b: s.bits(id) })),
		'rows read back',
	);
	const ask = (column, metric) => {
		const distance = DISTANCE[metric](column, given(column, s.QUERY));
		return db.selectFrom('items').select('id').select(distance.as('distance')).orderBy(distance).limit(s.NEAREST).execute();
	};
	for (const [column, metric] of s.DISTANCES) {
		s.nearest(await ask(column, metric), column, metric, `${s.TYPE_OF[column]} ${s.OPERATOR[metric]} without an index`);
	}
	for (const [method, column, metric] of s.INDEXES) {
		const kind = `${method} ${s.opclass(column, metric)}`;
		await db.schema.createIndex('items_index').on('items').using(method)
			.expression(sql.raw(`${column} ${s.opclass(column, metric)}`)).execute();
		const plan = await sql.raw(s.explain(column, metric)).execute(db);
		s.usesIndex(plan.rows, 'items_index', `${kind} is used`);
		s.nearest(await ask(column, metric), column, metric, `${kind} answers`);
		await db.schema.dropIndex('items_index').execute();
	}
	await sql.raw(s.createIndex('hnsw', 'v', 'cosine')).execute(db);
	await db.transaction().execute(async (trx) => {
		await trx.updateTable('items').set({ v: sent('v', s.QUERY) }).where('id', '=', 11).execute();
		const found = await trx.selectFrom('items').select('id').orderBy(pgvector.cosineDistance('v', s.dense(s.QUERY))).limit(1).execute();
		s.same(found, [{ id: 11 }], 'an updated row is found by its new value');
		throw new Error('undo');
	}).catch((error) => s.same(error.message, 'undo', 'rolled back'));
	s.nearest(await ask('v', 'cosine'), 'v', 'cosine', 'its old value is back after ROLLBACK');
	await s.refused(db.insertInto('items').values({ id: -1, h: '[1,2]' }).execute(), '22000', 'expected 8 dimensions, not 2', 'a vector too short is refused');
	await db.destroy();
});
