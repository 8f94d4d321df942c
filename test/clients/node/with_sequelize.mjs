// SPDX-License-Identifier: PostgreSQL
// Sequelize and pgvector: data types of models, indexes of models made by sync(), finders ordered by distance, transactions.
import Sequelize, { DataTypes } from 'sequelize';
import pgvector from 'pgvector/sequelize';
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

await s.run(async () => {
	s.version('sequelize');
	pgvector.registerTypes(Sequelize);
	const connect = () => new Sequelize(process.env.DATABASE_URL, { logging: false, dialectOptions: { options: s.STARTUP }, pool: { max: 1 } });
	const first = connect();
	await first.query('CREATE EXTENSION IF NOT EXISTS vector');
	await first.close();
	// It looks for the types of a database when it connects.
	const sequelize = connect();
	const define = (indexes) => sequelize.define('item', {
		id: { type: DataTypes.INTEGER, primaryKey: true },
		v: { type: DataTypes.VECTOR(s.DIMS) },
		h: { type: DataTypes.HALFVEC(s.DIMS) },
		s: { type: DataTypes.SPARSEVEC(s.SPARSE_DIMS) },
		b: { type: `BIT(${s.BITS})` },
	}, { tableName: 'items', timestamps: false, indexes });
	let Item = define([]);
	await sequelize.sync({ force: true });
	await Item.bulkCreate(s.rows.map((id) => ({ id, v: given('v', id), h: given('h', id), s: given('s', id), b: s.bits(id) })));
	const rows = await Item.findAll({ order: ['id'] });
	s.same(
		rows.map((row) => ({ id: row.id, v: row.v, h: row.h, s: s.parse('s', row.s.toPostgres()), b: row.b })),
		s.rows.map((id) => ({ id, v: s.dense(id), h: s.dense(id), s: s.sparse(id), b: s.bits(id) })),
		'rows read back',
	);
	const ask = (column, metric, transaction) => {
		const distance = DISTANCE[metric](column, given(column, s.QUERY), sequelize);
		return Item.findAll({ attributes: ['id', [distance, 'distance']], order: distance, limit: s.NEAREST, raw: true, transaction });
	};
	for (const [column, metric] of s.DISTANCES) {
		s.nearest(await ask(column, metric), column, metric, `${s.TYPE_OF[column]} ${s.OPERATOR[metric]} without an index`);
	}
	const close = sequelize.where(pgvector.l2Distance('v', s.dense(s.QUERY), sequelize), '<', 12);
	const near = s.exact('v', 'l2').filter((row) => row.distance < 12).length;
	s.same(await Item.count({ where: close }), near, 'rows within a distance');
	for (const [method, column, metric] of s.INDEXES) {
		const kind = `${method} ${s.opclass(column, metric)}`;
		Item = define([{ name: 'items_index', using: method, fields: [{ name: column, operator: s.opclass(column, metric) }] }]);
		await Item.sync();
		const [plan] = await sequelize.query(s.explain(column, metric));
		s.usesIndex(plan, 'items_index', `${kind} is used`);
		s.nearest(await ask(column, metric), column, metric, `${kind} answers`);
		const [index] = await sequelize.getQueryInterface().showIndex('items').then((all) => all.filter((i) => i.name === 'items_index'));
		s.same(index.fields.map((field) => field.attribute), [column], `${kind} is described`);
		await sequelize.getQueryInterface().removeIndex('items', 'items_index');
	}
	Item = define([{ name: 'items_index', using: 'hnsw', fields: [{ name: 'v', operator: 'vector_l2_ops' }] }]);
	await Item.sync();
	const transaction = await sequelize.transaction();
	await Item.update({ v: s.dense(s.QUERY) }, { where: { id: 13 }, transaction });
	s.same((await ask('v', 'l2', transaction))[0], { id: 13, distance: 0 }, 'an updated row is found by its new value');
	await transaction.rollback();
	s.nearest(await ask('v', 'l2'), 'v', 'l2', 'its old value is back after ROLLBACK');
	await s.refused(Item.create({ id: -1, v: [1, 2] }), '22000', 'expected 8 dimensions, not 2', 'a vector too short is refused');
	await sequelize.close();
});
