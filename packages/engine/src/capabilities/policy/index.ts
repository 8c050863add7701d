export type * from './doors.ts'
export type * from './ports.ts'
export type * from './subject.ts'
