// This package with a snapshot of the turn for each event, whose text is read in the last one alone.
import { lastValueFrom } from 'rxjs';
import { accumulate, turnOf } from '../library.mjs';

/** A snapshot holds the text so far. */
export const deltas = false;

export default async ({ baseUrl }) => (await lastValueFrom(turnOf(baseUrl).pipe(accumulate()))).text;
