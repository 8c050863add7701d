export type { Frames } from './frames.ts'
export { type PayOptions, payRoutes } from './routes.ts'
export type { PayTheme } from './theme.ts'
