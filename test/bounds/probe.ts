// Loaded before a process that is watched: at each SIGUSR2 it collects all garbage and prints what is left.
let samples = 0
process.on('SIGUSR2', () => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  samples += 1
  console.log(`memory ${samples}: ${heapUsed + external} ${rss}`)
})
