/** The place of an event in its turn's log: `<epoch>-<seq>`. */
export interface EntryId {
  /** Each runner of a turn has a separate one, higher than all before. */
  readonly epoch: number;
  readonly seq: number;
}

export const idText = ({ epoch, seq }: EntryId): string => `${epoch}-${seq}`;

/** Parses an id; `undefined` if it is not one. A client may send anything as `Last-Event-ID`. */
export function readId(text: string): EntryId | undefined {
  const [, epoch, seq] = /^(\d{1,9})-(\d{1,15})$/.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) };
}

export const isAfter = (a: EntryId, b: EntryId): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq);

/** Whether one id, as text, comes after another; `''` sorts first. */
export function comesAfter(a: string, b: string): boolean {
  const before = readId(b);
  const id = readId(a);
  return before === undefined || (id !== undefined && isAfter(id, before));
}
