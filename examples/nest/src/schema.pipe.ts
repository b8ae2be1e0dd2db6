import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { checked } from './requests.js';

/** Lets a handler's argument in once it has the form of a schema. */
export class SchemaPipe<Schema extends z.ZodType> implements PipeTransform<unknown, z.output<Schema>> {
  constructor(private readonly schema: Schema) {}

  transform(value: unknown): z.output<Schema> {
    return checked(this.schema, value);
  }
}
