/**
 * The user pool and its one confidential client. People never see Cognito's own pages: the app's actions call its
 * API with the client's secret. Sign-up by the API is possible only where the stage allows it.
 */
import { production, signUp } from "./stage";

export const userPool = new sst.aws.CognitoUserPool(
  "Users",
  {
    usernames: ["email"],
    transform: {
      userPool: {
        deletionProtection: production ? "ACTIVE" : "INACTIVE",
        adminCreateUserConfig: { allowAdminCreateUserOnly: signUp === "closed" },
        accountRecoverySetting: { recoveryMechanisms: [{ name: "verified_email", priority: 1 }] },
        passwordPolicy: {
          minimumLength: 8,
          requireLowercase: false,
          requireUppercase: false,
          requireNumbers: false,
          requireSymbols: false,
          temporaryPasswordValidityDays: 7,
        },
      },
    },
  },
  // The removal policy covers tables and buckets only; a pool that goes takes everybody's sign-in with it.
  { protect: production, retainOnDelete: production },
);

export const client = userPool.addClient("SignIn", {
  transform: {
    client: {
      generateSecret: true,
      explicitAuthFlows: ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
      preventUserExistenceErrors: "ENABLED",
      enableTokenRevocation: true,
      accessTokenValidity: 1,
      idTokenValidity: 1,
      refreshTokenValidity: 30,
      tokenValidityUnits: { accessToken: "hours", idToken: "hours", refreshToken: "days" },
      // No hosted pages: nothing may redirect anywhere.
      allowedOauthFlowsUserPoolClient: false,
      allowedOauthFlows: [],
      allowedOauthScopes: [],
      callbackUrls: [],
    },
  },
});
