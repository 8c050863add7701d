import type { SpendingRows } from '../../capabilities/spending/index.ts'
import type { Doors } from './doors.ts'
import { spendDoors } from './spends.ts'
import { versionDoors } from './versions.ts'

export const spendingRows = (doors: Doors): SpendingRows => ({
  ...spendDoors(doors),
  ...versionDoors(doors),
})
