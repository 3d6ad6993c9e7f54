// Which folder may import which. Knows the layers of ARCHITECTURE.md; must not know what is in them.

/** Folders of src, and the folders that each may import besides itself. */
const LAYERS = {
  wire: [],
  storage: [],
  tcp: ['wire', 'storage'],
  stack: ['wire', 'storage', 'tcp'],
  device: ['wire', 'storage'],
  net: ['wire', 'storage', 'tcp', 'stack', 'trace'],
  dropin: ['wire', 'storage', 'tcp', 'stack', 'device', 'net'],
  services: ['tcp', 'stack', 'net'],
  enclosure: ['wire', 'storage', 'device'],
  trace: ['wire', 'storage', 'tcp', 'stack', 'device'],
  lab: ['wire', 'storage', 'tcp', 'stack', 'device', 'net', 'trace', 'enclosure'],
  testing: [...['wire', 'storage', 'tcp', 'stack', 'device', 'net', 'dropin'], ...['trace', 'lab']],
  debug: ['wire', 'storage', 'tcp', 'stack', 'device', 'net', 'trace', 'lab'],
  cli: [
    ...['wire', 'storage', 'tcp', 'stack', 'device', 'net', 'dropin', 'services'],
    ...['enclosure', 'trace', 'lab', 'debug'],
  ],
};

/** Folders that do no I/O and know no clock. */
const SANS_IO = ['wire', 'storage', 'tcp', 'stack'];

/** The interfaces that the stack declares for those below it to implement. */
const DECLARED = { device: ['stack/device.ts'] };

const anyOf = (names) => `(${names.join('|')})`;

const layers = Object.entries(LAYERS).map(([folder, below]) => ({
  name: `layer-${folder}`,
  comment: `${folder} may import ${below.join(', ') || 'no other folder'}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: {
    path: '^src/',
    pathNot: [
      `^src/${anyOf([folder, ...below])}/`,
      ...(DECLARED[folder] ?? []).map((file) => `^src/${file}$`),
    ],
  },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'layer-unknown',
      comment: 'a new folder needs a line in LAYERS',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/${anyOf(Object.keys(LAYERS))}/` },
      to: {},
    },
    {
      name: 'index-is-for-users',
      comment: 'index.ts is the door of the package, not a way between its rooms',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/index\\.ts$' },
    },
    {
      name: 'index-without-cli',
      comment:
        'the library does not offer the command line; a registered process answers `finwait ss`',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$', pathNot: '^src/register\\.ts$' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'sans-io',
      comment: 'neither Node nor packages: packets and time come in, packets and deadlines go out',
      severity: 'error',
      from: { path: `^src/${anyOf(SANS_IO)}/` },
      to: { pathNot: '^src/' },
    },
    {
      name: 'no-cycles',
      comment: 'types may refer to each other in a circle, code may not',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-to-tests',
      comment: 'tests see the product, not the other way round',
      severity: 'error',
      from: { pathNot: '^tests/' },
      to: { path: '^tests/' },
    },
    {
      name: 'only-from-the-product',
      comment: 'src needs nothing of scripts and benchmarks',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(scripts|bench)/' },
    },
    {
      name: 'no-development-package',
      comment: 'users install dependencies only',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'not-found',
      comment: 'the imported module does not exist',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    // As Node reads the `exports` of packages, our own among them.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    doNotFollow: { path: ['^node_modules/', '^dist/'] },
    exclude: { path: '^(build|coverage)/' },
  },
};
