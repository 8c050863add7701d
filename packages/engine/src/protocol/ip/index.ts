export {
  formatIp,
  type IpAddress,
  type IpRange,
  isInside,
  parseIp,
  parseIpRange,
} from './address.ts'
export { isPublicIp } from './public.ts'
