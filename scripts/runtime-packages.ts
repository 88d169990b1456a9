// Leaves in package.json what applications run with: the drivers, which are peers to users of the package and so stand
// under devDependencies here, and what the applications import besides. For the image; see Dockerfile.
import { readFileSync, writeFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const kept = new Set([...Object.keys(manifest.peerDependencies), 'zod'])
const locked: [string, string][] = Object.entries(manifest.devDependencies)
manifest.devDependencies = Object.fromEntries(locked.filter(([name]) => kept.has(name)))
writeFileSync('package.json', JSON.stringify(manifest, null, 2))
