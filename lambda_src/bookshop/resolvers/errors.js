import { util } from '@aws-appsync/utils';

const THROTTLED = [
  'DynamoDB:ProvisionedThroughputExceededException',
  'DynamoDB:ThrottlingException',
  'DynamoDB:RequestLimitExceeded',
  'Lambda:TooManyRequestsException',
  'EventBridge:ThrottlingException',
];

/** End with a type that a client can act on. What happened inside is in the logs, and not in the answer. */
export function failed(error) {
  if (THROTTLED.includes(error.type)) {
    busy();
  }
  util.error('The request could not be answered.', 'InternalError');
}

/** End with the advice to try again. */
export function busy() {
  util.error('The service is busy: try again in a moment.', 'TryAgain');
}

/** End with the advice to try again when the database has resumed. */
export function waking() {
  util.error('The database is waking up: try again in 15 seconds.', 'TryAgain');
}

/** End with what the client did wrong. */
export function refused(type, message) {
  util.error(message, type);
}

/** Was it the condition of a write that did not hold? */
export function conditionFailed(error) {
  return error.type === 'DynamoDB:ConditionalCheckFailedException';
}
