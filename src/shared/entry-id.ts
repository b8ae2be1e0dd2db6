/** The place of an event in its turn's log: `<epoch>-<seq>`. */
export interface EntryId {
  /** Each runner of a turn has one of its own, higher than those before. */
  readonly epoch: number;
  readonly seq: number;
}

export const idText = ({ epoch, seq }: EntryId): string => `${epoch}-${seq}`;

/** Reads an id; `undefined` where it is none. What a client sends as `Last-Event-ID` may be anything. */
export function readId(text: string): EntryId | undefined {
  const [, epoch, seq] = /^(\d{1,9})-(\d{1,15})$/.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) };
}

export const isAfter = (a: EntryId, b: EntryId): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq);

/** Whether the text of an id comes after another's; `''` stands before all. */
export function comesAfter(a: string, b: string): boolean {
  const before = readId(b);
  const id = readId(a);
  return before === undefined || (id !== undefined && isAfter(id, before));
}
