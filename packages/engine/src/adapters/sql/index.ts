export type { PostgresClient, PostgresPool, SqliteDatabase, SqliteStatement } from './drivers.ts'
export type { MigrationReport } from './migrate.ts'
export { MIGRATIONS, SCHEMA_VERSION } from './migrations/index.ts'
export {
  createSqlStore,
  openStore,
  type SqlStore,
  type SqlStoreOptions,
  type SqlTx,
} from './store.ts'
