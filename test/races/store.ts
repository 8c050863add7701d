import { openStore, type SqlStore } from '@kaccy/bitcoin/adapters/sql'
import Database from 'better-sqlite3'
import pg from 'pg'

/** Where the processes of a race meet. Plain data: it travels to them as an argument. */
export type Meeting = Readonly<
  { kind: 'sqlite'; file: string } | { kind: 'postgres'; url: string; schema: string }
>

export interface OpenMeeting {
  readonly store: SqlStore
  close(): Promise<void>
}

/** Opens the store of a race with a driver of this process; migrates it, as any process of an installation may. */
export async function openMeeting(meeting: Meeting): Promise<OpenMeeting> {
  if (meeting.kind === 'sqlite') {
    const database = new Database(meeting.file, { timeout: 60_000 })
    const store = await openStore({ dialect: 'sqlite', database, migrate: true })
    return {
      store,
      close: async () => {
        await store.close()
        database.close()
      },
    }
  }
  const database = new pg.Pool({ connectionString: meeting.url, max: 8 })
  const store = await openStore({
    dialect: 'postgres',
    database,
    schema: meeting.schema,
    migrate: true,
  })
  return {
    store,
    close: async () => {
      await store.close()
      await database.end()
    },
  }
}
