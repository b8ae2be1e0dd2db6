import '@angular/compiler';
import * as core from '@angular/core';
import * as rxjs from 'rxjs';
import * as library from 'rxjs-chat-completions';
import * as angular from 'rxjs-chat-completions/angular';
import * as testing from 'rxjs-chat-completions/testing';
import program from './program.cjs';

program({ core, angular, library, testing, rxjs });
