/**
 * The application's own hook. Its message handling and its operations are the application's, word for word.
 * The connection is completed as the application has it in its other hooks: a first attempt, then others after
 * 1, 2 and 4 seconds, then none for ever.
 */
import { useState, useEffect, useRef, useCallback } from 'react';

// WebSocket message types matching Go server implementation
const MESSAGE_TYPES = {
  SETTINGS_SYNC_REQUEST: 'SETTINGS_SYNC_REQUEST',
  SETTINGS_SYNC_RESPONSE: 'SETTINGS_SYNC_RESPONSE',

  // Table-specific updates
  SETTINGS_UPDATE_STAFF_GROUPS: 'SETTINGS_UPDATE_STAFF_GROUPS',
  SETTINGS_UPDATE_DAILY_LIMITS: 'SETTINGS_UPDATE_DAILY_LIMITS',
  SETTINGS_UPDATE_MONTHLY_LIMITS: 'SETTINGS_UPDATE_MONTHLY_LIMITS',
  SETTINGS_UPDATE_PRIORITY_RULES: 'SETTINGS_UPDATE_PRIORITY_RULES',
  SETTINGS_UPDATE_ML_CONFIG: 'SETTINGS_UPDATE_ML_CONFIG',

  // Bulk operations
  SETTINGS_RESET: 'SETTINGS_RESET',
  SETTINGS_MIGRATE: 'SETTINGS_MIGRATE',

  // Version management
  SETTINGS_CREATE_VERSION: 'SETTINGS_CREATE_VERSION',
  SETTINGS_ACTIVATE_VERSION: 'SETTINGS_ACTIVATE_VERSION',

  CONNECTION_ACK: 'CONNECTION_ACK',
  ERROR: 'ERROR'
};

export const useWebSocketSettings = (options = {}) => {
  const { enabled = true, url } = options;

  const [settings, setSettings] = useState(null);
  const [version, setVersion] = useState(null);
  const [connectionStatus, setConnectionStatus] = useState('connecting');
  const [isLoading, setIsLoading] = useState(true);
  const [lastError, setLastError] = useState(null);
  const wsRef = useRef(null);
  const clientIdRef = useRef(crypto.randomUUID());
  const reconnectAttempts = useRef(0);
  const maxReconnectAttempts = 3;
  const reconnectTimeoutRef = useRef(null);
  const connectionFailedPermanently = useRef(false);

  // Message handlers
  const handleSettingsSyncResponse = useCallback((payload) => {
    const settingsData = payload.settings || {};
    const versionData = settingsData.version || null;

    // Separate version from settings
    const { version: _, ...actualSettings } = settingsData;

    setSettings(actualSettings);
    setVersion(versionData);
    setIsLoading(false);

    console.log('Settings synced from multi-table backend:', actualSettings);
    console.log('Active config version:', versionData?.versionNumber);

    // If this was a migration response, mark as complete
    if (payload.migrated) {
      localStorage.setItem('settings-migrated-to-backend', 'true');
      console.log('Settings migration completed (localStorage to multi-table)');
    }

    // If this was a reset response
    if (payload.reset) {
      console.log('Settings reset to defaults (multi-table)');
    }
  }, []);

  const connect = useCallback(() => {
    if (!enabled || connectionFailedPermanently.current) {
      return;
    }
    const ws = new WebSocket(url);
    wsRef.current = ws;

    ws.onopen = () => {
      reconnectAttempts.current = 0;
      setConnectionStatus('connected');
      setLastError(null);
      ws.send(JSON.stringify({
        type: MESSAGE_TYPES.SETTINGS_SYNC_REQUEST,
        payload: { clientId: clientIdRef.current },
        timestamp: new Date().toISOString(),
        clientId: clientIdRef.current
      }));
    };

    ws.onmessage = (event) => {
      const message = JSON.parse(event.data);
      switch (message.type) {
        case MESSAGE_TYPES.SETTINGS_SYNC_RESPONSE:
          handleSettingsSyncResponse(message.payload);
          break;
        case MESSAGE_TYPES.CONNECTION_ACK:
          setConnectionStatus('connected');
          break;
        case MESSAGE_TYPES.ERROR:
          setLastError(message.payload.message);
          setIsLoading(false);
          break;
        default:
          console.warn('Unknown message type:', message.type);
      }
    };

    ws.onclose = (event) => {
      setConnectionStatus('disconnected');
      if (event.code === 1000) {
        return;
      }
      if (reconnectAttempts.current < maxReconnectAttempts) {
        const delay = Math.pow(2, reconnectAttempts.current) * 1000;
        reconnectAttempts.current += 1;
        reconnectTimeoutRef.current = setTimeout(connect, delay);
      } else {
        connectionFailedPermanently.current = true;
        setConnectionStatus('failed_permanently');
      }
    };
  }, [enabled, url, handleSettingsSyncResponse]);

  useEffect(() => {
    connect();
    return () => {
      clearTimeout(reconnectTimeoutRef.current);
      wsRef.current?.close(1000);
    };
  }, [connect]);

  // Settings operation methods (table-specific)
  const updateStaffGroups = useCallback((groupData) => {
    if (!enabled || wsRef.current?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Error('WebSocket not connected'));
    }

    const message = {
      type: MESSAGE_TYPES.SETTINGS_UPDATE_STAFF_GROUPS,
      payload: { group: groupData },
      timestamp: new Date().toISOString(),
      clientId: clientIdRef.current
    };

    wsRef.current.send(JSON.stringify(message));
    return Promise.resolve();
  }, [enabled]);

  const migrateSettings = useCallback((settingsData) => {
    if (!enabled || wsRef.current?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Error('WebSocket not connected'));
    }

    const message = {
      type: MESSAGE_TYPES.SETTINGS_MIGRATE,
      payload: { settings: settingsData },
      timestamp: new Date().toISOString(),
      clientId: clientIdRef.current
    };

    wsRef.current.send(JSON.stringify(message));
    return Promise.resolve();
  }, [enabled]);

  const activateVersion = useCallback((versionId) => {
    if (!enabled || wsRef.current?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Error('WebSocket not connected'));
    }

    const message = {
      type: MESSAGE_TYPES.SETTINGS_ACTIVATE_VERSION,
      payload: { versionId },
      timestamp: new Date().toISOString(),
      clientId: clientIdRef.current
    };

    wsRef.current.send(JSON.stringify(message));
    return Promise.resolve();
  }, [enabled]);

  return {
    // Core data (aggregated from multi-table)
    settings,
    version,

    // Table-specific operations
    updateStaffGroups,

    // Bulk operations
    migrateSettings,

    // Version management
    activateVersion,

    // Connection state
    connectionStatus,
    isLoading,
    isConnected: connectionStatus === 'connected',
    lastError,
    connectionFailedPermanently: connectionFailedPermanently.current,

    // Debug info
    reconnectAttempts: reconnectAttempts.current,
    clientId: clientIdRef.current
  };
};

export default useWebSocketSettings;
