/** The Docker engines that a lab can have, each as a release of Debian has it. */
export const engineVersions = ['20.10', '26.1', '28.5'] as const;
export type EngineVersion = (typeof engineVersions)[number];

/** The release whose root file system the host gets; undefined: the machine's own, Debian 12. */
export const suiteOf: Readonly<Record<EngineVersion, string | undefined>> = {
  '20.10': undefined,
  '26.1': 'trixie',
  '28.5': 'forky',
};
