export type ParameterType = 'string' | 'number' | 'bool' | 'array' | 'object' | 'any'
export interface Parameter {
  readonly name: string
  readonly type: ParameterType
  readonly optional?: boolean
}
