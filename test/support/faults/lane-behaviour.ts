import { rename, writeFile } from 'node:fs/promises';

/** Environment variable that names a host's behaviour file; read by lane-backend.ts. */
export const BEHAVIOUR_FILE = 'VIRNUCPRO_TEST_BEHAVIOUR';

/** How the devices of one test host behave, beyond computing. Read anew at every model call. */
export interface Behaviour {
  /** A call takes this much longer. */
  callMs?: number;
  faults?: Fault[];
  /** A lane process ends itself before it loads anything. */
  exitAtStart?: boolean;
}

/** Something that goes wrong in a model call. All that is given must fit the call. */
export interface Fault {
  /** `cpu:1`; default every device. */
  device?: string;
  /** Token ids of a sequence that must be among the call's; default any call. */
  tokens?: number[];
  /** `wait`: until the host behaves otherwise, and then as it does. */
  then: 'abort' | 'hang' | 'throw' | 'nan' | 'wait';
}

/** Has the host of this behaviour file behave like that from its next call on. */
export async function setBehaviour(file: string, behaviour: Behaviour): Promise<void> {
  await writeFile(`${file}.next`, JSON.stringify(behaviour));
  await rename(`${file}.next`, file);
}
