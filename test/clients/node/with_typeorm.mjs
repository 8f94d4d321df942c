// SPDX-License-Identifier: PostgreSQL
// TypeORM: columns of its types vector and halfvec, for which it creates the extension by itself; schema synchronisation that
// reads the dimensions back; query builder with distances; transactions. It knows neither sparsevec nor indexes on vectors.
import { DataSource, EntitySchema } from 'typeorm';
import * as s from './support.mjs';

const entity = (dims) => new EntitySchema({
	name: 'item',
	tableName: 'items',
	columns: {
		id: { type: 'int', primary: true },
		v: { type: 'vector', length: dims, nullable: true },
		h: { type: 'halfvec', length: dims, nullable: true },
		b: { type: 'bit', length: String(s.BITS), nullable: true },
	},
});
const source = (dims) => new DataSource({
	type: 'postgres', url: process.env.DATABASE_URL, synchronize: false, entities: [entity(dims)], extra: { options: s.STARTUP },
});

await s.run(async () => {
	s.version('typeorm');
	const db = await source(s.DIMS).initialize();
	await db.synchronize();
	const items = db.getRepository('item');
	await items.save(s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), b: s.bits(id) })), { chunk: 100 });
	s.same(
		await items.find({ order: { id: 'ASC' } }),
		s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), b: s.bits(id) })),
		'rows read back',
	);
	const log = await db.driver.createSchemaBuilder().log();
	s.same(log.upQueries.map((query) => query.query), [], 'the schema is read back as it was made');
	const other = await source(s.DIMS + 1).initialize();
	const changes = (await other.driver.createSchemaBuilder().log()).upQueries.map((query) => query.query).join(';');
	s.check(changes.includes('vector(9)') && changes.includes('halfvec(9)'), 'another number of dimensions is noticed', changes);
	await other.destroy();

	const ask = (column, metric) => items.createQueryBuilder('i')
		.select('i.id', 'id')
		.addSelect(`i.${column} ${s.OPERATOR[metric]} :asked`, 'distance')
		.setParameter('asked', s.textOf(column, s.QUERY))
		.orderBy('distance')
		.limit(s.NEAREST)
		.getRawMany();
	const known = ([column]) => column !== 's';
	for (const [column, metric] of s.DISTANCES.filter(known)) {
		s.nearest(await ask(column, metric), column, metric, `${s.TYPE_OF[column]} ${s.OPERATOR[metric]} without an index`);
	}
	for (const [method, column, metric] of s.INDEXES.filter(([, column]) => known([column]))) {
		const kind = `${method} ${s.opclass(column, metric)}`;
		await db.query(s.createIndex(method, column, metric));
		s.usesIndex(await db.query(s.explain(column, metric)), 'items_index', `${kind} is used`);
		s.nearest(await ask(column, metric), column, metric, `${kind} answers`);
		await db.query('DROP INDEX items_index');
	}
	await db.query(s.createIndex('hnsw', 'v', 'l2'));
	await db.transaction(async (manager) => {
		await manager.getRepository('item').update({ id: 17 }, { v: s.dense(s.QUERY) });
		const first = await manager.getRepository('item').createQueryBuilder('i')
			.orderBy('i.v <-> :asked').setParameter('asked', s.textOf('v', s.QUERY)).limit(1).getOne();
		s.same(first?.id, 17, 'an updated row is found by its new value');
		throw new Error('undo');
	}).catch((error) => s.same(error.message, 'undo', 'rolled back'));
	s.nearest(await ask('v', 'l2'), 'v', 'l2', 'its old value is back after ROLLBACK');
	await s.refused(items.save({ id: -1, v: [1, 2] }), '22000', 'expected 8 dimensions, not 2', 'a vector too short is refused');
	await db.destroy();
});
