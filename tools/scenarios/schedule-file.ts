import { readFile } from 'node:fs/promises'
import { parseSchedules, type ScheduleFile } from './schedule.ts'

/** The schedules of the shared vectors, beside the project unless `KACCY_SHARED` says where. */
export async function sharedSchedules(file?: string): Promise<ScheduleFile> {
  const shared = process.env['KACCY_SHARED'] ?? new URL('../../../shared', import.meta.url).pathname
  return parseSchedules(
    await readFile(file ?? `${shared}/vectors/scenarios/chain_schedules.json`, 'utf8'),
  )
}
