require('@angular/compiler');

require('./program.cjs')({
  core: require('@angular/core'),
  angular: require('rxjs-chat-completions/angular'),
  library: require('rxjs-chat-completions'),
  testing: require('rxjs-chat-completions/testing'),
  rxjs: require('rxjs'),
});
