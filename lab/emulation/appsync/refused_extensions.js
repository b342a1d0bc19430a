// What is not emulated of 'extensions': ignored, more would be sent to subscribers than on AWS.
for (const name of ['setSubscriptionFilter', 'setSubscriptionInvalidationFilter', 'invalidateSubscriptions']) {
  globalThis.extensions[name] = () =>
    globalThis.util.error(`extensions.${name} is not emulated: on AWS alone.`, 'UnsupportedOperation');
}
