import { fleetScenarios } from './fleet-scenarios.ts'
import { processScenarios } from './process-scenarios.ts'
import type { Scenario, StackName } from './scenario.ts'
import { serverScenarios } from './server-scenarios.ts'

export const scenarios: readonly Scenario[] = [...processScenarios, ...fleetScenarios, ...serverScenarios]

/** Scenarios of a stack; those that only one has say so. */
export function scenariosOn(stack: StackName): readonly Scenario[] {
  return scenarios.filter(({ stacks }) => stacks?.includes(stack) ?? true)
}
