/** The test kit: decisions without a store, applications without waiting, faults where you name them. */
export { type TestApp, type TestAppOptions, testApp } from './app.ts'
export { type ChaosOptions, chaosBroker } from './chaos-broker.ts'
export { drain } from './drain.ts'
export { type Faults, faults, killsFrom, SimulatedCrash } from './faults.ts'
export { type Given, given, type When } from './given.ts'
export { seededRandom } from './random.ts'
export { type Recorder, recorder } from './recorder.ts'
export { type TestRuntime, type TestRuntimeOptions, testRuntime } from './runtime.ts'
export {
  type AtRest,
  type Client,
  type Compose,
  commands,
  type Effect,
  type Faulted,
  type Mutation,
  type PortDuty,
  type SimulatedHost,
  type SimulatedParts,
  type SimulationOptions,
  type SimulationReport,
  simulate,
} from './simulation/index.ts'
