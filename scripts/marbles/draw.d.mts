import type { Label } from './labels.js';

/** A picture: which of a record's sources stand in which row, and what they are called. */
export interface Picture {
  readonly name: string;
  /** What stands in the box. */
  readonly call: string;
  readonly rows?: readonly {
    readonly name: string;
    readonly sources: readonly number[];
    readonly answers?: boolean;
  }[];
  readonly unused?: readonly number[];
  readonly result?: string;
  readonly finishReasons?: boolean;
}

export interface Note {
  readonly frame: number;
  readonly kind: 'N' | 'C' | 'E';
  readonly label?: Label;
}

export interface Span {
  readonly from: number;
  /** Without it, nobody has unsubscribed. */
  readonly to?: number;
}

export interface Row {
  readonly kind?: 'cold' | 'hot';
  readonly messages: readonly Note[];
  readonly subscriptions: readonly Span[];
}

/** What happened. */
export interface MarbleRecord {
  readonly sources: readonly Row[];
  readonly results: readonly Row[];
}

export interface DrawOptions {
  readonly widest?: number;
  readonly theme?: 'light' | 'dark' | 'auto';
  readonly unit?: number;
  readonly cursor?: number | undefined;
}

export function draw(picture: Picture, record: MarbleRecord, options?: DrawOptions): string;
